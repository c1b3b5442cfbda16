"""What lies between two snapshots: who gains, changes and loses which stack. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import orjson

from agents.wanted.pairs import WantedVersions
from plans.snapshots import Snapshot

_NOTHING = WantedVersions(None, None)
ACTIVE = "ACTIVE"


class Kind(StrEnum):
    GAINING = "gaining"
    CHANGING = "changing"
    LOSING = "losing"


@dataclass(frozen=True, slots=True)
class TouchedPair:
    """One agent and one stack, with the sequence ids of what it should have before and after the write.

    The kinds compare with what it should have before; None if nothing changes for it then.
    """

    agent_id: UUID
    stack_id: UUID
    before: int | None
    now: int | None
    eventually: int | None
    kind_now: Kind | None
    kind_eventually: Kind | None


@dataclass(frozen=True, slots=True)
class Changes:
    """All that a write does. `starting` and `stopping` are agents that become active, or cease to be; `leaving` are
    those that are deleted. They lose their stacks, and nobody is left to remove what they have deployed.
    """

    pairs: Sequence[TouchedPair]
    starting: Sequence[UUID]
    stopping: Sequence[UUID]
    leaving: Sequence[UUID]

    @property
    def losers(self) -> set[UUID]:
        """The agents that lose at least one stack in the end."""
        return {pair.agent_id for pair in self.pairs if pair.kind_eventually == Kind.LOSING}


def compare(before: Snapshot, after: Snapshot) -> Changes:
    """The differences, in the order of the ids."""
    pairs = []
    for key in before.pairs.keys() | after.pairs.keys():
        old, new = before.pairs.get(key, _NOTHING), after.pairs.get(key, _NOTHING)
        if old != new:
            old_content = _content(old.now, before)
            pairs.append(
                TouchedPair(
                    *key,
                    before=old.now,
                    now=new.now,
                    eventually=new.eventually,
                    kind_now=_kind(old_content, _content(new.now, after)),
                    kind_eventually=_kind(old_content, _content(new.eventually, after)),
                )
            )
    pairs.sort(key=lambda pair: (pair.stack_id, pair.agent_id))
    lasting = before.statuses.keys() & after.statuses.keys()
    return Changes(
        pairs,
        starting=sorted(
            pk for pk in lasting if before.statuses[pk] != ACTIVE and after.statuses[pk] == ACTIVE
        ),
        stopping=sorted(
            pk for pk in lasting if before.statuses[pk] == ACTIVE and after.statuses[pk] != ACTIVE
        ),
        leaving=sorted(before.statuses.keys() - after.statuses.keys()),
    )


def digest_of(changes: Changes, before: Snapshot, after: Snapshot, *, write: bytes) -> str:
    """The same 64 characters as long as the write does the same. `write` says which write it is.

    It knows versions that are there by their ids, and those that the write makes by their content.
    """
    whole = hashlib.sha256(write)
    for line in _lines(changes, before, after):
        whole.update(b"\n" + orjson.dumps(line, option=orjson.OPT_SORT_KEYS))
    return whole.hexdigest()


def digests_by_agent(changes: Changes, after: Snapshot) -> dict[UUID, str]:
    """For each agent that a write touches, the same 64 characters as long as the write does the same to it."""
    lines: dict[UUID, list[object]] = defaultdict(list)
    for agent_id in (*changes.starting, *changes.stopping):
        lines[agent_id].append(after.statuses[agent_id])
    for pair in changes.pairs:
        lines[pair.agent_id].append(
            [pair.stack_id, pair.before, _facts(pair.now, after), _facts(pair.eventually, after)]
        )
    return {agent_id: hashlib.sha256(orjson.dumps(each)).hexdigest() for agent_id, each in lines.items()}


def _lines(changes: Changes, before: Snapshot, after: Snapshot) -> Iterator[list[object]]:
    touched = {pair.stack_id for pair in changes.pairs}
    new = [each for pk, each in after.rollouts.items() if pk not in before.rollouts]
    for stack_id in sorted(touched | before.strategies.keys() | after.strategies.keys()):
        yield [
            "stack",
            stack_id,
            after.holds.get(stack_id),
            before.strategies.get(stack_id),
            after.strategies.get(stack_id),
        ]
    for stack_id, definition in sorted(new, key=lambda each: (each[0], orjson.dumps(each[1]))):
        yield ["rollout", stack_id, definition]
    for agent_id in (*changes.starting, *changes.stopping):
        yield ["agent", agent_id, before.statuses[agent_id], after.statuses[agent_id]]
    for pair in changes.pairs:
        yield [
            pair.stack_id,
            pair.agent_id,
            pair.before,
            _facts(pair.now, after),
            _facts(pair.eventually, after),
        ]


def _facts(version: int | None, snapshot: Snapshot) -> object:
    return None if version is None else tuple(snapshot.versions[version])


def _content(version: int | None, snapshot: Snapshot) -> int | None:
    # A deletion marker asks the agent to have nothing.
    return None if version is None or snapshot.versions[version].is_marker else version


def _kind(old: int | None, new: int | None) -> Kind | None:
    if old == new:
        return None
    if old is None:
        return Kind.GAINING
    return Kind.LOSING if new is None else Kind.CHANGING
