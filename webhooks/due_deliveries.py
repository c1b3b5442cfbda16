"""The statement behind an agent's question for deliveries: whether any is due for it, by the agent's own key.

It is the rule of `services.deliveries.claim_for_agent` spelled for speed, and a test holds the two together. Almost
always there is none: audiences are few, and each is asked for its first due delivery only.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection

from agents.inbox import Answer, ask, question
from agents.wanted.words import LABELS_OF_AGENT

# A delivery of a disabled subscription counts too: then the view looks closer, and finds none.
_DUE = """
EXISTS (
    SELECT 1 FROM webhook_audiences a WHERE EXISTS (
        SELECT 1 FROM webhook_deliveries d WHERE d.audience_id = a.id AND d.due_at <= %(now)s
    ) AND NOT EXISTS (
        SELECT 1 FROM webhook_audience_labels l WHERE l.audience_id = a.id AND NOT EXISTS (
            SELECT 1 FROM {labels} al WHERE al.label = l.label
        )
    )
)
"""
_ANY = question(_DUE.format(labels=LABELS_OF_AGENT))


def look_for_deliveries(*, agent_id: UUID, key_hash: str, now: datetime) -> Answer | None:
    """Whether some delivery may be due for the agent whose key this is; as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, key_hash=key_hash, now=connection.ops.adapt_datetimefield_value(now))
