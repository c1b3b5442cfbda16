"""The statement behind an agent's question for work: whether there is any, by the agent's own key.

It is the rule of matching.py spelled for speed, and a test holds the two together. Almost always there is none.
"""

from uuid import UUID

from agents.inbox import Answer, ask, question
from agents.wanted.words import ANNOTATIONS_OF_AGENT, LABELS_OF_AGENT

# The first look ends it for all agents while no order waits at all.
#
# How rare a label is PostgreSQL knows on average only, so where most orders share one it would rather read all of
# them than look for another. Equality spelled as a range, the order and the limit, which no table reaches, leave
# it one way: into the index at the agent's own words, and from each match to its order.
_CLAIMABLE = """
EXISTS (
    SELECT 1 FROM (
        SELECT id FROM work_orders WHERE status = 'PENDING' ORDER BY work_type, created_at LIMIT 1
    ) p
) AND (
    EXISTS (
        SELECT 1 FROM (
            SELECT work_order_id FROM work_order_targets WHERE agent_id >= %(agent)s AND agent_id <= %(agent)s
            ORDER BY agent_id, work_order_id LIMIT 9223372036854775807
        ) t JOIN work_orders o ON o.id = t.work_order_id WHERE o.status = 'PENDING'
    ) OR EXISTS (
        SELECT 1 FROM {labels} al WHERE EXISTS (
            SELECT 1 FROM (
                SELECT l.work_order_id FROM work_order_labels l WHERE l.label >= al.label AND l.label <= al.label
                ORDER BY l.label, l.work_order_id LIMIT 9223372036854775807
            ) m JOIN work_orders o ON o.id = m.work_order_id WHERE o.status = 'PENDING'
        )
    ) OR EXISTS (
        SELECT 1 FROM {annotations} aa WHERE EXISTS (
            SELECT 1 FROM (
                SELECT a.work_order_id FROM work_order_annotations a
                WHERE (a.key, a.value) >= (aa.key, aa.value) AND (a.key, a.value) <= (aa.key, aa.value)
                ORDER BY a.key, a.value, a.work_order_id LIMIT 9223372036854775807
            ) m JOIN work_orders o ON o.id = m.work_order_id WHERE o.status = 'PENDING'
        )
    )
)
"""
_ANY = question(_CLAIMABLE.format(labels=LABELS_OF_AGENT, annotations=ANNOTATIONS_OF_AGENT))


def look_for_work(*, agent_id: UUID, key_hash: str) -> Answer | None:
    """Whether some order waits for the agent whose key this is; as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, key_hash=key_hash)
