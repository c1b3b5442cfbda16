"""Whether anything has changed that may be news to a waiting agent: read from the audit log, which has every change."""

from core.prepared import fetch_all

# The number of the latest change, for the statement of a look. An agent that waits names the one it has seen.
LATEST = "SELECT max(sequence) FROM audit_logs"
_SINCE = "SELECT action, max(sequence) FROM audit_logs WHERE sequence > %(seen)s GROUP BY action"
# What these say changes neither what an agent should have nor what waits for it.
_NO_NEWS = (
    "agent.recovered",
    "agent.silent",
    "attempt.",
    "audit.",
    "auth.",
    "diagnostic.c",
    "health.",
    "pak.",
    "plan.",
    "site_",
    "template.",
    "webhook.",
    "workorder.completed",
    "workorder.failed",
)


def changes_since(seen: int) -> tuple[int, int]:
    """The numbers of the latest change and of the latest that may be news to agents, both at least `seen`."""
    rows = fetch_all(_SINCE, {"seen": seen})
    latest = max((sequence for _, sequence in rows), default=seen)
    news = max((sequence for action, sequence in rows if not action.startswith(_NO_NEWS)), default=seen)
    return latest, news
