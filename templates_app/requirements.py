"""The labels and annotations that a template version requires of a stack. It fits stacks that have all of them."""

from dataclasses import dataclass

from stacks.models import Stack
from templates_app.models import StackTemplate


@dataclass(frozen=True, slots=True)
class Missing:
    """The required labels and annotations that a stack lacks."""

    labels: list[str]
    annotations: list[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.labels or self.annotations)


def missing_on(stack: Stack, template: StackTemplate) -> Missing:
    """What the template requires and the stack lacks, compared exactly. Without requirements it fits all stacks."""
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
