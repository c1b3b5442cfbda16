"""The statement of an agent's question for diagnostics: whether any may wait for it, by the agent's own key.

Almost always none waits. If one may wait, the rule of `DiagnosticQuerySet.claimable` says which.
"""

from uuid import UUID

from agents.inbox import Answer, ask, question
from paks.tokens import Token

# The condition, for the statements of other calls too.
WAITING = """
EXISTS (
    SELECT 1 FROM diagnostic_requests d WHERE d.agent_id = %(agent)s AND d.status = 'pending'
)
"""
_ANY = question(WAITING)


def look_for_diagnostics(*, agent_id: UUID, token: Token) -> Answer | None:
    """Whether a request may wait for the agent with this key. Returns the same as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, token=token)
