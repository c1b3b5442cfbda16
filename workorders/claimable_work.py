"""The statement of an agent's question for work orders: whether there is any for it, by the agent's own key.

It is the rule of matching.py, written for speed; a test checks that both give the same answer. Almost always there is
no order.
"""

from uuid import UUID

from agents.inbox import Answer, ask, question
from agents.wanted.words import ANNOTATIONS_OF_AGENT, LABELS_OF_AGENT
from paks.tokens import Token

# The first condition is false for all agents while no order waits, and then nothing else is read.
#
# PostgreSQL knows only the average frequency of labels. If most orders share one label, it would read all orders for
# any other label too. The equality written as a range, the ORDER BY, and the LIMIT, which is larger than any table,
# leave it only one plan: look up the agent's labels and annotations in the index, and from each match go to its order.
_TEMPLATE = """
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
# The condition, for the statements of other calls too.
CLAIMABLE = _TEMPLATE.format(labels=LABELS_OF_AGENT, annotations=ANNOTATIONS_OF_AGENT)
_ANY = question(CLAIMABLE)


def look_for_work(*, agent_id: UUID, token: Token) -> Answer | None:
    """Whether an order waits for the agent with this key. Returns the same as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, token=token)
