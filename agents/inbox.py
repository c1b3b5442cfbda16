"""The question that agents ask most often: is there any work for me? One statement reads the key and the answer.

The apps above say what the work is. Almost always there is none, so only that answer is made fast.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.prepared import as_time, as_uuid, fetch_one
from paks.key_check import GOOD_KEY_OF_AGENT, agent_key_parameters
from paks.tokens import Token

_STATEMENT = """
SELECT paks.id, paks.last_used_at, {condition}
FROM paks WHERE {good_key}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The row of the key, and whether something may wait for its agent."""

    key_id: UUID
    last_used_at: datetime | None
    found: bool


def question(condition: str) -> str:
    """The statement that reads an agent's key and whether `condition` is true.

    In `condition`, %(agent)s is the agent's id.
    """
    return _STATEMENT.format(condition=condition, good_key=GOOD_KEY_OF_AGENT)


def ask(statement: str, *, agent_id: UUID, token: Token, **parameters: object) -> Answer | None:
    """Run a `question`. Returns None if this is not a usable key of this agent."""
    row = fetch_one(statement, agent_key_parameters(token, agent_id) | parameters)
    if row is None:
        return None
    key_id, last_used_at, found = row
    return Answer(as_uuid(key_id), as_time(last_used_at), bool(found))
