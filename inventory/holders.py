"""Which agents should have versions, and which have said that they have them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from agents.wanted.pairs import pairs_sql
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter

# At most this many agents of a version are named; they are counted in any case.
MAX_NAMED = 100
_HOLDERS = """
WITH {pairs},
held AS (
    SELECT h.version_id, h.agent_id, max(h.should) AS should, max(h.said) AS said FROM (
        SELECT p.version_id, p.agent_id, 1 AS should, 0 AS said FROM pairs p WHERE {wanted}
        UNION ALL
        SELECT sr.sequence_id, sr.agent_id, 0, 1 FROM agent_stack_reports sr
        WHERE {of_stacks} AND {reported} AND sr.status = 'SUCCESS'
    ) h GROUP BY h.version_id, h.agent_id
),
named AS (
    SELECT h.version_id, a.id, a.name, a.cluster_name, h.should, h.said,
           sum(h.should) OVER (PARTITION BY h.version_id) AS all_should,
           sum(h.said) OVER (PARTITION BY h.version_id) AS all_said,
           row_number() OVER (PARTITION BY h.version_id ORDER BY a.name, a.cluster_name, a.id) AS place
    FROM held h JOIN agents a ON a.id = h.agent_id AND a.deleted_at IS NULL
)
SELECT n.version_id, n.id, n.name, n.cluster_name, n.should, n.said, n.all_should, n.all_said
FROM named n WHERE n.place <= %(limit)s ORDER BY n.version_id, n.place"""


@dataclass(frozen=True, slots=True)
class Holder:
    """`should_have`: the version is what the agent should have. `has_said`: its latest report is SUCCESS on it."""

    agent_id: UUID
    name: str
    cluster_name: str
    should_have: bool
    has_said: bool


@dataclass(slots=True)
class Holders:
    """The agents of one version: how many should have it, how many have said so, and the first of all by name."""

    should_have: int = 0
    have_said: int = 0
    first: list[Holder] = field(default_factory=list)


def holders_of(versions: Collection[tuple[UUID, int]]) -> dict[int, Holders]:
    """By version, given as its stack and its sequence id. Versions without agents are left out. One query."""
    if not versions:
        return {}
    sql = _HOLDERS.format(
        pairs=pairs_sql("stacks", registration=settings.REQUIRE_REGISTRATION),
        wanted=among("p.version_id", "versions"),
        of_stacks=among("sr.stack_id", "stacks"),
        reported=among("sr.sequence_id", "versions"),
    )
    parameters = {
        "stacks": list_parameter({stack_id for stack_id, _ in versions}),
        "versions": list_parameter({version for _, version in versions}),
        "limit": MAX_NAMED,
    }
    found: dict[int, Holders] = {}
    for version, agent_id, name, cluster_name, should, said, all_should, all_said in fetch_all(
        sql, parameters
    ):
        holders = found.setdefault(version, Holders(int(all_should), int(all_said)))
        holders.first.append(Holder(as_uuid(agent_id), name, cluster_name, bool(should), bool(said)))
    return found
