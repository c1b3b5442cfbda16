"""The question that agents ask all day: is there anything for me? One statement reads the key and the answer.

The apps above say what "anything" is. Almost always there is nothing, so only that answer is made for speed.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.prepared import as_time, as_uuid, fetch_one, uuid_parameter

_STATEMENT = """
SELECT k.id, k.short_token, k.last_used_at, {condition}
FROM paks k WHERE k.key_hash = %(key_hash)s AND k.role = 'agent' AND k.subject_id = %(agent)s AND k.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The key's row, and whether something may wait for its agent."""

    key_id: UUID
    short_token: str
    last_used_at: datetime | None
    found: bool


def question(condition: str) -> str:
    """The statement that asks for an agent's key and whether `condition` holds; %(agent)s in it is the agent's id."""
    return _STATEMENT.format(condition=condition)


def ask(statement: str, *, agent_id: UUID, key_hash: str, **parameters: object) -> Answer | None:
    """The answer to a `question`. None when this is not a usable key of this agent; the caller still compares the
    short token.
    """
    row = fetch_one(statement, {"agent": uuid_parameter(agent_id), "key_hash": key_hash} | parameters)
    if row is None:
        return None
    key_id, short_token, last_used_at, found = row
    return Answer(as_uuid(key_id), short_token, as_time(last_used_at), bool(found))
