"""Who caused what, read from the log."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from audit.models import AuditLog
from core.admin.authors import Author
from paks.models import Role
from paks.subjects import subject_names


def authors(action: str, resource_ids: Iterable[UUID]) -> dict[UUID, Author]:
    """The author of the newest such row about each resource. One query, and one more for each role that owns keys."""
    rows = list(
        AuditLog.objects.filter(resource_id__in=resource_ids, action=action).order_by("timestamp", "sequence")
    )
    ids: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.actor_type in Role.values and row.actor_id is not None:
            ids[row.actor_type].add(row.actor_id)
    names = {role: subject_names(role, wanted) for role, wanted in ids.items()}
    return {row.resource_id: _author(row, names) for row in rows if row.resource_id is not None}


def _author(row: AuditLog, names: dict[str, dict[UUID, str]]) -> Author:
    details = row.details or {}
    is_key = row.key_id is not None
    name = names.get(row.actor_type, {}).get(row.actor_id, "") if row.actor_id else ""
    return Author(
        role=row.actor_type,
        name=name or ("" if is_key else row.actor_label),
        key=row.actor_label if is_key else "",
        notes=str(details.get("reason", "")),
    )
