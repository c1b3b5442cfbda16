"""Notes that agents can reach the broker, so that nobody takes a deaf broker for silent agents."""

from datetime import datetime, timedelta

from django.db.models import Case, F, Q, Value, When

from agents.models import HearingMark

# The longest time between two notes that is no break, so that a quick restart is none.
LONGEST_GAP = timedelta(seconds=10)


def note_hearing(*, now: datetime, has_missed: bool) -> None:
    """Note that heartbeats reach the database through this process; with `has_missed`, that some could not lately.

    Any number of processes may do it at once. Raises Django's database errors.
    """
    # Either nobody noted anything meanwhile, or the database's clock was set back.
    has_gap = Q(until__lt=now - LONGEST_GAP) | Q(until__gt=now + LONGEST_GAP)
    since = Value(now) if has_missed else Case(When(has_gap, then=Value(now)), default=F("since"))
    if not HearingMark.objects.update(since=since, until=now):
        HearingMark.objects.bulk_create([HearingMark(pk=1, since=now, until=now)], ignore_conflicts=True)
