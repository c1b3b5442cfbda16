"""The failures of the whole fleet by what is wrong: one group for each stack, version and kind of message."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from agents.attention import Failure

# Of one kind are messages that differ only in what is new with each agent: names of pods, ids, numbers.
_OWN_PARTS: Final = re.compile(
    r"""
    [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22}      # an id
    | (?<=-)[a-z0-9]{5,10}-[a-z0-9]{5}\b                # the end of a pod's name
    | \b(?=[a-f]*\d)[0-9a-f]{6,}\b                      # a digest
    | \d+
    """,
    re.VERBOSE,
)
_MAX_KIND: Final = 300
# The first page asks for the same messages every ten seconds, and most of the work is here when a whole fleet fails.
_KINDS_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Agents that fail alike."""

    stack_id: UUID
    sequence_id: int
    # The message of the agent that failed last.
    message: str
    agents: int
    # When the first and the last of them began to fail, and when the failure was last reported.
    first: datetime
    latest: datetime
    last_seen: datetime

    @property
    def key(self) -> str:
        """What tells this group from the others of its stack."""
        return key_of(self.sequence_id, self.message)


def key_of(sequence_id: int, message: str | None) -> str:
    """The same text for all failures of one group. It tells nothing of the message, which may hold a Secret's value."""
    return salted_hmac("agents.failures", f"{sequence_id} {kind_of(message)}").hexdigest()[:16]


def kind_of(message: str | None) -> str:
    """What messages of one kind have in common, on one line."""
    return _kind_of((message or "")[:_MAX_KIND])


@lru_cache(_KINDS_KEPT)
def _kind_of(text: str) -> str:
    return _OWN_PARTS.sub("…", " ".join(text.split()))


def grouped(failures: Iterable[Failure]) -> list[FailureGroup]:
    """The groups, those that began last first, and of those that began in the same hour the widest."""
    groups: dict[tuple[UUID, int, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.stack_id, failure.sequence_id, kind_of(failure.message)), []).append(
            failure
        )
    found = [_group(each) for each in groups.values()]
    found.sort(
        key=lambda each: (each.latest.replace(minute=0, second=0, microsecond=0), each.agents), reverse=True
    )
    return found


def _group(failures: list[Failure]) -> FailureGroup:
    newest = max(failures, key=lambda each: each.since)
    return FailureGroup(
        newest.stack_id,
        newest.sequence_id,
        newest.message or "",
        len(failures),
        min(each.since for each in failures),
        newest.since,
        max(each.last_seen for each in failures),
    )
