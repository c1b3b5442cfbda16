"""The statement behind an agent's question for diagnostics: whether any may be waiting, by the agent's own key.

Almost always none is. When one is, the rule of `DiagnosticQuerySet.claimable` says which.
"""

from uuid import UUID

from agents.inbox import Answer, ask, question

_ANY = question("""
EXISTS (
    SELECT 1 FROM diagnostic_requests d WHERE d.agent_id = %(agent)s AND d.status = 'pending'
)
""")


def look_for_diagnostics(*, agent_id: UUID, key_hash: str) -> Answer | None:
    """Whether some request waits for the agent whose key this is; as `agents.inbox.ask`."""
    return ask(_ANY, agent_id=agent_id, key_hash=key_hash)
