"""Holds that nobody will end: a version is held, and neither a rollout nor a person has a reason to end the hold.

The apps that hold versions tell which of their holds somebody will still end.
"""

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef

from agents.models import HoldReason, VersionHold
from agents.wanted.legs import serving_stacks
from stacks.models import DeploymentObject

# Takes versions that are held for the reason, and returns those whose hold somebody will end.
Owners = Callable[[Collection[int]], Set[int]]
_owners: dict[HoldReason, Owners] = {}

_HELD_BACK = """
WITH held AS (
    SELECT s.id AS stack_id, s.generator_id, max(o.sequence_id) AS sequence_id
    FROM object_holds h JOIN deployment_objects o ON o.sequence_id = h.version_id AND o.deleted_at IS NULL
    JOIN stacks s ON s.id = o.stack_id AND s.deleted_at IS NULL GROUP BY s.id, s.generator_id
),
tied AS ({tied})
SELECT count(DISTINCT t.agent_id) FROM tied t JOIN held w ON w.stack_id = t.stack_id
JOIN agents a ON a.id = t.agent_id AND a.deleted_at IS NULL
WHERE NOT EXISTS (SELECT 1 FROM object_releases r WHERE r.version_id = w.sequence_id AND r.agent_id = t.agent_id)
    AND NOT EXISTS (SELECT 1 FROM object_holds b WHERE b.version_id = w.sequence_id AND b.reason = 'rollback')
"""


@dataclass(frozen=True, slots=True)
class UnendingHold:
    """A hold, and the reason why nobody will end it, as a part of a sentence."""

    hold: VersionHold
    why: str


def register_owners(reason: HoldReason, owners: Owners) -> None:
    """Let `owners` tell which holds for this reason somebody will end. Without it, all holds count as such."""
    _owners[reason] = owners


def unending_holds() -> list[UnendingHold]:
    """The holds, the oldest version first, each with its stack."""
    unheld = DeploymentObject.objects.versions().filter(
        ~Exists(VersionHold.objects.filter(version=OuterRef("pk"))), stack=OuterRef("version__stack")
    )
    holds = VersionHold.objects.filter(
        version__deleted_at__isnull=True, version__stack__deleted_at__isnull=True
    ).annotate(is_overtaken=Exists(unheld.filter(sequence_id__gt=OuterRef("version"))))
    rows = list(
        holds.select_related("version__stack").defer("version__yaml_content").order_by("version", "reason")
    )
    found = []
    for reason in HoldReason:
        versions = {row.version_id for row in rows if row.reason == reason}
        owned = _owners[reason](versions) if reason in _owners else versions
        for row in rows:
            if row.reason != reason:
                continue
            if row.is_overtaken:
                found.append(UnendingHold(row, "a newer version is for everybody"))
            elif row.version_id not in owned:
                found.append(UnendingHold(row, "nobody answers for it any more"))
    return sorted(found, key=lambda each: (each.hold.version_id, each.hold.reason))


def agents_held_back(*, registration: bool) -> int:
    """How many live agents serve a stack whose newest held version is not released to them.

    A rollback is held back from nobody: the other agents have its content.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD_BACK.format(tied=serving_stacks("held", registration=registration)))
        row = cursor.fetchone()
    return int(row[0]) if row else 0
