"""What a generator's key is limited to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Limits:
    """A key with limits reaches the stacks of these ids and those that carry one of these labels, and no others."""

    stack_ids: frozenset[UUID] = frozenset()
    labels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.stack_ids or self.labels)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The limits that `as_json` has written."""
        return cls(frozenset(map(UUID, value["stacks"])), frozenset(value["labels"]))

    def as_json(self) -> dict[str, list[str]]:
        """The form in which they are stored and told: ids and labels, in order."""
        return {"stacks": sorted(map(str, self.stack_ids)), "labels": sorted(self.labels)}
