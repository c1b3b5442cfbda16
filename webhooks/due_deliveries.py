"""The statement of an agent's question for deliveries: whether any is due for it, by the agent's own key.

It is the rule of `services.deliveries.claim_for_agent`, written for speed; a test checks that both answer the same.
Almost always no delivery is due. There are few audiences, and only the first due delivery of each is read.
"""

from datetime import datetime
from uuid import UUID

from agents.inbox import Answer, ask, question
from agents.wanted.words import LABELS_OF_AGENT
from core.prepared import time_parameter
from paks.tokens import Token

# A delivery of a disabled subscription counts too; then the view checks again and finds none.
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


def look_for_deliveries(*, agent_id: UUID, token: Token, now: datetime) -> Answer | None:
    """Whether a delivery may be due for the agent with this key. Returns the same as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, token=token, now=time_parameter(now))
