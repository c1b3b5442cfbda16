"""How much the agents reported over the last day, by the hour, without reading a day's reports."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

HOURS = 24
# Counting stops here for each hour and outcome: a chart need not tell ten thousand from twenty.
CAP = 5_000

_HOUR = timedelta(hours=1)
# Two index scans an hour. As one statement, because every statement costs a round trip.
_COUNTS = """
SELECT {n} AS n,
       (SELECT count(*) FROM (SELECT 1 FROM agent_events WHERE created_at >= %s AND created_at < %s LIMIT {cap}) a),
       (SELECT count(*) FROM (SELECT 1 FROM agent_events WHERE status = 'FAILURE'
                              AND created_at >= %s AND created_at < %s LIMIT {cap}) f)
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """Reports from `start` on for an hour, failures among them; CAP stands for that many or more."""

    start: datetime
    reports: int
    failures: int

    @property
    def is_capped(self) -> bool:
        return self.reports >= CAP


def last_day(now: datetime) -> list[Hour]:
    """The day that ends with the present hour, the oldest hour first. One query."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - _HOUR * back for back in reversed(range(HOURS))]
    statement = "UNION ALL".join(_COUNTS.format(n=n, cap=CAP) for n in range(HOURS))
    parameters = [moment for start in starts for moment in (start, start + _HOUR) * 2]
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(each) for each in parameters])
        counts = {n: (reports, failures) for n, reports, failures in cursor.fetchall()}
    return [Hour(start, *counts[n]) for n, start in enumerate(starts)]
