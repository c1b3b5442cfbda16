"""Whether anything has changed that may be news to a waiting agent: read from the audit log, which has every change."""

from core.prepared import fetch_all

# The number of the latest change, for the statement of a look. An agent that waits names the one it has seen.
LATEST = "SELECT max(sequence) FROM audit_logs"
_SINCE = f"""
SELECT action, max(sequence) FROM audit_logs WHERE sequence > %(seen)s GROUP BY action
UNION ALL SELECT NULL, ({LATEST})"""  # noqa: S608  no input in it
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
    """The numbers of the latest change and of the latest that may be news to agents, which is at least `seen`.

    The first is below `seen` if that change is not there, for instance after a restore.
    """
    latest, news = 0, seen
    for action, sequence in fetch_all(_SINCE, {"seen": seen}):
        if action is None:
            latest = sequence or 0
        elif not action.startswith(_NO_NEWS):
            news = max(news, sequence)
    return latest, news
