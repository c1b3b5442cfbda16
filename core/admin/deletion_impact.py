"""What deletions do to the fleet. The app that knows says it here, for the rows of apps below it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class DeletionImpact:
    """What deleting some rows does elsewhere: in a sentence for all, and for each row that has something to say.

    `agents` of the `fleet` are touched; a large share makes the admin ask for the name to be typed.
    """

    sentence: str
    agents: int
    fleet: int
    by_row: Mapping[Any, str] = field(default_factory=dict)

    @property
    def is_wide(self) -> bool:
        return self.agents * 100 > self.fleet * settings.CONFIRM_BY_NAME_PERCENT


# Gets the rows that are about to be deleted.
Measure = Callable[[Sequence[Any]], DeletionImpact]
_measures: dict[type[Model], Measure] = {}


def register_deletion_impact(model: type[Model], measure: Measure) -> None:
    """Say how to measure what the deletion of `model`'s rows does. Called in `<app>/admin`."""
    _measures[model] = measure


def deletion_impact_of(model: type[Model], rows: Sequence[Any]) -> DeletionImpact | None:
    """None where nobody has registered a measure, or there is nothing to delete."""
    measure = _measures.get(model)
    return measure(rows) if measure and rows else None
