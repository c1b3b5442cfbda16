"""Versions by sequence id or by id, each read once."""

from collections.abc import Iterable
from uuid import UUID

from history.entries import Version
from stacks.models import DeploymentObject

_COLUMNS = ("id", "sequence_id", "is_deletion_marker", "stack_id")


class Versions:
    """What was read so far, for the pages that name the same versions again and again."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Version] = {}
        self._by_sequence_id: dict[int, Version] = {}

    def by_id(self, ids: Iterable[UUID]) -> dict[UUID, Version]:
        """The versions with these ids, in their order."""
        wanted = list(ids)
        self._read(id__in=[one for one in wanted if one not in self._by_id])
        return {one: self._by_id[one] for one in wanted if one in self._by_id}

    def by_sequence_id(self, sequence_ids: Iterable[int]) -> dict[int, Version]:
        """The versions with these sequence ids, in their order."""
        wanted = list(sequence_ids)
        self._read(pk__in=[one for one in wanted if one not in self._by_sequence_id])
        return {one: self._by_sequence_id[one] for one in wanted if one in self._by_sequence_id}

    def _read(self, **missing: list[UUID] | list[int]) -> None:
        if not any(missing.values()):
            return
        for row in DeploymentObject.objects.filter(**missing).values_list(*_COLUMNS):
            version = Version(*row)
            self._by_id[version.id] = self._by_sequence_id[version.sequence_id] = version
