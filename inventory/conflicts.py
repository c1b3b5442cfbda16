"""Conflicts: one agent should have the same Kubernetes object from two stacks.

Objects are the same if group, kind, namespace and name are equal. The version of the API makes no difference; how a
namespace that is left out counts is in `stacks/manifests/kinds.py`. Markers and objects without a name are in no
inventory, so they are in no conflict.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from agents.wanted.pairs import WantedPair, pairs_of_stacks
from agents.wanted.ties import served_stacks
from agents.wanted.versions import versions_of_agent
from core.prepared import as_uuid, fetch_all, uuid_parameter
from core.prepared_rows import among, list_parameter
from stacks.models import Stack

# With more other stacks than this that ever had an object of the stack, the rest is not compared.
MAX_OTHERS = 500
# The key of the object, and the fields that it was made of.
_Named = tuple[UUID, str, str, str, str]

_SHARED = """
WITH given AS (
    SELECT r.object_key, r.api_group, r.kind, r.namespace, r.name, e.stack_id, e.version_id, e.digest
    FROM inventory_entries e JOIN inventory_resources r ON r.id = e.resource_id
    WHERE e.image_id IS NULL AND {among}
)
SELECT g.object_key, g.api_group, g.kind, g.namespace, g.name,
       g.stack_id, s.name, s.generator_id, g.version_id, g.digest
FROM given g JOIN stacks s ON s.id = g.stack_id WHERE g.object_key IN (
    SELECT h.object_key FROM given h GROUP BY h.object_key HAVING count(DISTINCT h.stack_id) > 1
)
ORDER BY g.kind, g.namespace, g.name, g.object_key, g.version_id"""
_OTHERS = """
SELECT DISTINCT x.stack_id FROM inventory_entries e
JOIN inventory_resources r ON r.id = e.resource_id
JOIN inventory_resources same ON same.object_key = r.object_key
JOIN inventory_entries x ON x.resource_id = same.id AND x.image_id IS NULL AND x.stack_id <> e.stack_id
JOIN stacks s ON s.id = x.stack_id AND s.deleted_at IS NULL
WHERE e.image_id IS NULL AND {among}
ORDER BY x.stack_id LIMIT %(limit)s"""
# It reads two entries of each resource, however often the stack was published.
_IS_SHARED = """EXISTS (SELECT 1 FROM inventory_resources r WHERE {among} AND (
    (SELECT x.stack_id FROM inventory_entries x
     WHERE x.resource_id = r.id AND x.image_id IS NULL AND x.stack_id < %(stack)s
     ORDER BY x.stack_id DESC LIMIT 1) IS NOT NULL
    OR (SELECT x.stack_id FROM inventory_entries x
        WHERE x.resource_id = r.id AND x.image_id IS NULL AND x.stack_id > %(stack)s
        ORDER BY x.stack_id LIMIT 1) IS NOT NULL
))"""


class NamedStack(NamedTuple):
    name: str
    stack_id: UUID


@dataclass(frozen=True, slots=True)
class Member:
    """A version with the object. Versions with an equal `digest` write it alike."""

    stack_id: UUID
    stack_name: str
    generator_id: UUID
    version_id: int
    digest: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An object that each of these agents should have from more than one of the stacks of `members`."""

    object_key: UUID
    api_group: str
    kind: str
    namespace: str
    name: str
    members: Sequence[Member]
    agent_ids: frozenset[UUID]

    @property
    def is_identical(self) -> bool:
        """Whether all write the object alike, so that it does not matter which one an agent applies last."""
        return len({member.digest for member in self.members}) == 1

    @property
    def stacks(self) -> Sequence[NamedStack]:
        """The stacks that have it, by name."""
        return sorted({NamedStack(member.stack_name, member.stack_id) for member in self.members})

    @property
    def stack_ids(self) -> frozenset[UUID]:
        return frozenset(member.stack_id for member in self.members)

    @property
    def what(self) -> str:
        """The object in words."""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}"


def conflicts_among(pairs: Iterable[tuple[UUID, UUID, int]]) -> list[Conflict]:
    """The conflicts if these agents should have these versions of these stacks, by kind, namespace and name.

    A pair is the agent, the stack and the sequence id of the version. One query, whatever their number.
    """
    agents_of: dict[int, set[UUID]] = defaultdict(set)
    for agent_id, _, version in pairs:
        agents_of[version].add(agent_id)
    found = []
    for named, members in _shared(agents_of).items():
        # A version may have the object twice, written with and without its namespace.
        versions = {member.version_id for member in members}
        times = Counter(agent_id for version in versions for agent_id in agents_of[version])
        agent_ids = frozenset(agent_id for agent_id, number in times.items() if number > 1)
        meeting = [member for member in members if not agent_ids.isdisjoint(agents_of[member.version_id])]
        if agent_ids:
            found.append(Conflict(*named, members=meeting, agent_ids=agent_ids))
    return found


def conflicts_of_agent(agent_id: UUID) -> list[Conflict]:
    """The conflicts among what a live agent should have, those that are written alike last. Three queries."""
    stack_ids = list(served_stacks(agent_id).values_list("pk", flat=True))
    versions = versions_of_agent(agent_id, stack_ids)
    found = conflicts_among((agent_id, stack_id, each.sequence_id) for stack_id, each in versions.items())
    return sorted(found, key=lambda conflict: conflict.is_identical)


def conflicts_of_stack(stack: Stack) -> list[Conflict]:
    """The conflicts of what agents should have of a live stack with what they should have of others. Four queries."""
    own = sorted({pair.version_id for pair in pairs_of_stacks([stack.pk])})
    pairs = _pairs_with_others(stack, own)
    return [conflict for conflict in conflicts_among(pairs) if stack.pk in conflict.stack_ids]


def conflicts_of_version(stack: Stack, version_id: int) -> list[Conflict]:
    """The conflicts that there are once all agents of the stack should have this version. One query if no other live
    stack has any of its objects.
    """
    pairs = [
        pair._replace(version_id=version_id) if pair.stack_id == stack.pk else pair
        for pair in _pairs_with_others(stack, [version_id])
    ]
    return [conflict for conflict in conflicts_among(pairs) if stack.pk in conflict.stack_ids]


def question_of_sharing(stack_id: UUID, object_keys: Collection[UUID]) -> tuple[str, Mapping[str, object]]:
    """Whether another stack, live or deleted, ever had one of these objects, as an expression in SQL with its
    parameters.
    """
    facts = {"stack": uuid_parameter(stack_id), "keys": list_parameter(object_keys)}
    return _IS_SHARED.format(among=among("r.object_key", "keys")), facts


def conflicts_of_pairs(wanted: Mapping[tuple[UUID, UUID], int]) -> list[Conflict]:
    """The conflicts of these versions, by agent and stack, with what else the agents should have. Three queries; one if
    no other stack has any of their objects.
    """
    others = _others(sorted(set(wanted.values())))
    if not others:
        return []
    agent_ids = {agent_id for agent_id, _ in wanted}
    found = {
        (pair.agent_id, pair.stack_id): pair.version_id
        for pair in pairs_of_stacks(others)
        if pair.agent_id in agent_ids
    }
    conflicts = conflicts_among((*pair, version) for pair, version in (found | dict(wanted)).items())
    return [
        conflict
        for conflict in conflicts
        if any((agent, stack) in wanted for agent in conflict.agent_ids for stack in conflict.stack_ids)
    ]


def _pairs_with_others(stack: Stack, version_ids: Sequence[int]) -> list[WantedPair]:
    """What the stack's agents should have of it and of those other stacks that have an object of these versions."""
    others = _others(version_ids)
    return pairs_of_stacks([stack.pk, *others], served_too=stack.pk) if others else []


def _others(version_ids: Sequence[int]) -> list[UUID]:
    """Stacks that ever had an object of a version of another stack."""
    if not version_ids:
        return []
    parameters = {"versions": list_parameter(version_ids), "limit": MAX_OTHERS}
    rows = fetch_all(_OTHERS.format(among=among("e.version_id", "versions")), parameters)
    return [as_uuid(other) for (other,) in rows]


def _shared(version_ids: Collection[int]) -> dict[_Named, list[Member]]:
    """By object, the versions that have it, if they are of more than one stack."""
    named: dict[UUID, _Named] = {}
    found: dict[_Named, list[Member]] = defaultdict(list)
    if not version_ids:
        return found
    parameters = {"versions": list_parameter(sorted(version_ids))}
    for key, group, kind, namespace, name, stack_id, stack_name, generator_id, version, digest in fetch_all(
        _SHARED.format(among=among("e.version_id", "versions")), parameters
    ):
        # The namespace may be written in one stack and left out in the other.
        first = named.setdefault(as_uuid(key), (as_uuid(key), group, kind, namespace, name))
        found[first].append(Member(as_uuid(stack_id), stack_name, as_uuid(generator_id), version, digest))
    return found
