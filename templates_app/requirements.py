"""Which stacks a template version fits: those that carry every one of its labels and annotations."""

from dataclasses import dataclass

from stacks.models import Stack
from templates_app.models import StackTemplate


@dataclass(frozen=True, slots=True)
class Missing:
    """What a stack lacks."""

    labels: list[str]
    annotations: list[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.labels or self.annotations)


def missing_on(stack: Stack, template: StackTemplate) -> Missing:
    """What the template asks for and the stack does not carry, compared exactly. Nothing asked for fits all."""
    labels = set(stack.labels.values_list("label", flat=True))
    pairs = set(stack.annotations.values_list("key", "value"))
    return Missing(
        labels=[label for label in _labels(template) if label not in labels],
        annotations=[pair for pair in _pairs(template) if pair not in pairs],
    )


def _labels(template: StackTemplate) -> list[str]:
    return sorted(template.labels.values_list("label", flat=True))


def _pairs(template: StackTemplate) -> list[tuple[str, str]]:
    return sorted(template.annotations.values_list("key", "value"))
