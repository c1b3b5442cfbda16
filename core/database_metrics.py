"""How long the statements of this process take.

gunicorn's master imports this module before it makes the folder of the files in which processes count. So nothing here
may count, or make a metric without labels, when it is imported.
"""

import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from prometheus_client import Histogram

STATEMENTS = Histogram(
    "brokkr_database_query_duration_seconds",
    "Time from sending a statement to its answer, by what the statement does.",
    ["query_type"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_FIRST_WORD = re.compile(r"\s*(\w+)")
# Not the UPDATE of a lock.
_WRITE = re.compile(r"\b(INSERT INTO|(?<!FOR )(?<!KEY )UPDATE|DELETE FROM)\b", re.IGNORECASE)
_TYPES = {"select", "insert", "update", "delete"}

Observe = Callable[[float], None]


def query_type(sql: str) -> str:
    """`select`, `insert`, `update`, `delete` or `other`. Of a WITH statement, its first write says."""
    first = _FIRST_WORD.match(sql)
    word = first[1].lower() if first else ""
    if word == "with":
        write = _WRITE.search(sql)
        word = write[1].split()[0].lower() if write else "select"
    return word if word in _TYPES else "other"


# Cached, because finding the child of a metric takes as long as counting with it.
@cache
def _observe_type(kind: str) -> Observe:
    return STATEMENTS.labels(kind).observe


# Only for statements that are constants: each stays in the memory.
@cache
def observer_of(sql: str) -> Observe:
    """The function that takes the seconds of one run of a prepared statement."""
    return _observe_type(query_type(sql))


def time_statement(
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,  # noqa: FBT001  Django's arguments by position
    context: dict[str, Any],
) -> Any:
    """Run a statement of Django's cursor and note how long it took."""
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        _observe_type(query_type(sql))(time.perf_counter() - started)
