"""The impact of a deletion on the fleet. The app that knows it registers it here, for rows of apps below it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Impact:
    """What deleting some rows does: one sentence for all rows, and one for each row in `by_row`.

    `agents` is how many of all agents, `fleet`, will remove something. A large share makes the admin ask the user to
    type the name.
    """

    sentence: str
    agents: int
    fleet: int
    by_row: Mapping[Any, str] = field(default_factory=dict)

    @property
    def is_wide(self) -> bool:
        return self.agents * 100 > self.fleet * settings.CONFIRM_BY_NAME_PERCENT


# Takes the rows that are about to be deleted.
Measure = Callable[[Sequence[Any]], Impact]
_measures: dict[type[Model], Measure] = {}


def register_impact(model: type[Model], measure: Measure) -> None:
    """Register how to measure the impact of deleting rows of `model`. Called in `<app>/admin`."""
    _measures[model] = measure


def impact_of(model: type[Model], rows: Sequence[Any]) -> Impact | None:
    """The impact of deleting the rows. None when no measure is registered, or there are no rows."""
    measure = _measures.get(model)
    return measure(rows) if measure and rows else None
