"""How many reports came in each hour of the last day. It does not read all reports of the day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

HOURS = 24
# The count of each hour and outcome stops here: a chart need not tell ten thousand from twenty thousand.
CAP = 5_000

_HOUR = timedelta(hours=1)
# Two index scans for each hour, in one statement, because every statement costs a round trip.
_COUNTS = """
SELECT {n} AS n,
       (SELECT count(*) FROM (SELECT 1 FROM agent_events WHERE created_at >= %s AND created_at < %s LIMIT {cap}) a),
       (SELECT count(*) FROM (SELECT 1 FROM agent_events WHERE status = 'FAILURE'
                              AND created_at >= %s AND created_at < %s LIMIT {cap}) f)
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """The reports of the hour that begins at `start`, and how many are failures. CAP means CAP or more."""

    start: datetime
    reports: int
    failures: int

    @property
    def is_capped(self) -> bool:
        return self.reports >= CAP


def last_day(now: datetime) -> list[Hour]:
    """The last 24 hours, the oldest first. The present hour is the last one. One query."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - _HOUR * back for back in reversed(range(HOURS))]
    statement = "UNION ALL".join(_COUNTS.format(n=n, cap=CAP) for n in range(HOURS))
    parameters = [moment for start in starts for moment in (start, start + _HOUR) * 2]
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(each) for each in parameters])
        counts = {n: (reports, failures) for n, reports, failures in cursor.fetchall()}
    return [Hour(start, *counts[n]) for n, start in enumerate(starts)]
