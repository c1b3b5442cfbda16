"""When a key is good, said once, in SQL: the statements that carry a key hold these words, and so does `usable()`.

Columns are named with their table, so that the words mean the same in a statement over several tables.
"""

from uuid import UUID

from core.prepared import uuid_parameter
from paks.tokens import Token

# Whatever ends a key belongs here and nowhere else. The clock is the database's, so that a key ends everywhere at the
# same second. `ends_at` has whole seconds, because SQLite's clock has no others.
USABLE = "paks.revoked_at IS NULL AND (paks.ends_at IS NULL OR paks.ends_at > CURRENT_TIMESTAMP)"

# The hash of a 192-bit random secret finds the row; the short token must fit too, unless only the hash is known.
GOOD_KEY = f"paks.key_hash = %(key_hash)s AND paks.short_token IN ('', %(short_token)s) AND {USABLE}"
GOOD_KEY_OF_AGENT = f"{GOOD_KEY} AND paks.role = 'agent' AND paks.subject_id = %(agent)s"


def key_parameters(token: Token) -> dict[str, object]:
    """What GOOD_KEY asks of a statement's parameters."""
    return {"key_hash": token.hash, "short_token": token.short}


def agent_key_parameters(token: Token, agent_id: UUID) -> dict[str, object]:
    """What GOOD_KEY_OF_AGENT asks of a statement's parameters."""
    return {**key_parameters(token), "agent": uuid_parameter(agent_id)}
