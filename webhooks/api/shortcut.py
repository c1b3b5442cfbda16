"""The shortcut for an agent that looks for deliveries and finds none: one statement. When some are due, the view
answers.
"""

from uuid import UUID

from django.utils import timezone

from agents.api.shortcuts import nothing_waits
from agents.inbox import Answer
from webhooks.due_deliveries import look_for_deliveries


def _look_now(*, agent_id: UUID, key_hash: str) -> Answer | None:
    return look_for_deliveries(agent_id=agent_id, key_hash=key_hash, now=timezone.now())


pending_shortcut = nothing_waits(_look_now)
