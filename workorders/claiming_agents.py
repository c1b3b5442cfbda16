"""Which agents may claim given orders while they are pending: the rule of matching.py, for many agents at once.

The web process imports it before Django is set up, so it has no models.
"""

from collections.abc import Collection
from uuid import UUID

from agents.wanted.legs import sharing_words
from core.prepared import as_uuid, fetch_all
from core.prepared_rows import among, list_parameter


def agents_for_orders(order_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """The pairs of an agent and one of these orders, each once, by one statement."""
    if not order_ids:
        return []
    chosen = among("work_order_id", "orders")
    words = sharing_words(
        labels=f"(SELECT work_order_id AS owner_id, label FROM work_order_labels WHERE {chosen})",  # noqa: S608  no input in it
        annotations=f"(SELECT work_order_id AS owner_id, key, value FROM work_order_annotations WHERE {chosen})",  # noqa: S608
    )
    statement = f"SELECT agent_id, work_order_id FROM work_order_targets WHERE {chosen} UNION {words}"  # noqa: S608
    rows = fetch_all(statement, {"orders": list_parameter(order_ids)})
    return [(as_uuid(agent_id), as_uuid(order_id)) for agent_id, order_id in rows]
