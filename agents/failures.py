"""The failures of the whole fleet by what is wrong: one group for each stack, version and kind of message."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

from agents.attention import CANDIDATES, FailingVersion, Failure, Failures, failing_versions, failures
from agents.sought import Sought
from stacks.secret_values import without_secrets

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
# So many deployments, and those of one version more, are read at a time.
_STEP: Final = 2_000


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
    """The groups, those that began last first, and of those that began in the same hour the widest.

    Those of the same hour and width come in the order in which they began last.
    """
    groups: dict[tuple[int, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.sequence_id, kind_of(failure.message)), []).append(failure)
    return sorted(map(_group, groups.values()), key=_urgency, reverse=True)


@dataclass(frozen=True, slots=True)
class Urgent:
    """The first groups, how many deployments were looked at for them, and whether that is all there is."""

    groups: list[FailureGroup]
    deployments: int
    is_all: bool


def most_urgent(limit: int, sought: Sought, *, at_least: int = 0) -> Urgent:
    """The first so many groups, or somewhat more, from at least so many deployments, if there are as many.

    Only failures that `sought` lets through are looked at, and none is found by a hidden value.

    Versions are read in the order of what their groups can be at best, until no group of the others can come before
    those that are found, or CANDIDATES deployments have been read.
    """
    waiting = sorted(failing_versions(sought), key=_urgency)
    groups: list[FailureGroup] = []
    read = deployments = 0
    answer = Failures([], is_all=True)
    while waiting and read < CANDIDATES:
        is_certain = len(groups) >= limit and _urgency(groups[limit - 1]) >= _urgency(waiting[-1])
        if is_certain and deployments >= at_least:
            break
        step: list[FailingVersion] = []
        first = read
        while waiting and read - first < _STEP:
            step.append(waiting.pop())
            read += step[-1].agents
        # Only the last answer can have left failures out: with as many as that, no further one is asked for.
        answer = failures(step, sought)
        found = _found(answer.rows, sought)
        deployments += sum(each.agents for each in found)
        # No group has deployments of two versions.
        groups = sorted([*groups, *grouped(found)], key=_urgency, reverse=True)
    if not waiting:
        return Urgent(groups, deployments, is_all=answer.is_all)
    best = _urgency(waiting[-1])
    certain = [group for number, group in enumerate(groups) if number < limit or _urgency(group) >= best]
    return Urgent(certain, deployments, is_all=False)


def _found(failures: Sequence[Failure], sought: Sought) -> Sequence[Failure]:
    """Those that are found by a name, or by the text in what may be shown of the message."""
    if not sought.text:
        return failures
    shown = without_secrets((each.sequence_id, each.message) for each in failures)
    return [
        each
        for each, message in zip(failures, shown, strict=True)
        if each.is_named or sought.text in message.casefold()
    ]


def _urgency(what: FailureGroup | FailingVersion) -> tuple[datetime, int, datetime]:
    return what.latest.replace(minute=0, second=0, microsecond=0), what.agents, what.latest


def _group(failures: list[Failure]) -> FailureGroup:
    newest = max(failures, key=lambda each: each.latest)
    return FailureGroup(
        newest.stack_id,
        newest.sequence_id,
        newest.message or "",
        sum(each.agents for each in failures),
        min(each.first for each in failures),
        newest.latest,
        max(each.last_seen for each in failures),
    )
