"""When a failed order is tried again. Pure."""

from datetime import datetime, timedelta

# Far beyond any use, and far from where dates end.
LONGEST = timedelta(days=3650)
# Two to this power seconds is longer already, so no greater power is ever computed.
_MOST_DOUBLINGS = 29


def next_retry(*, now: datetime, backoff_seconds: int, retry_count: int) -> datetime:
    """`backoff_seconds` times 2^`retry_count` after `now`, at most ten years.

    `retry_count` counts the coming retry, so the first one waits twice the back-off (contract, state machine).
    """
    seconds = backoff_seconds * 2 ** min(retry_count, _MOST_DOUBLINGS)
    return now + min(timedelta(seconds=min(seconds, LONGEST.total_seconds())), LONGEST)
