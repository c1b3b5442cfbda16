"""When a failed order is tried again. Pure."""

from datetime import datetime, timedelta

# Nobody needs to wait longer, and the result is still a valid date.
LONGEST = timedelta(days=3650)
# Two to this power, in seconds, is already longer, so no greater power is computed.
_MOST_DOUBLINGS = 29


def next_retry(*, now: datetime, backoff_seconds: int, retry_count: int) -> datetime:
    """The time `backoff_seconds` times 2^`retry_count` after `now`, at most ten years after it.

    `retry_count` includes the next retry, so the first retry waits twice the back-off (contract, state machine).
    """
    seconds = backoff_seconds * 2 ** min(retry_count, _MOST_DOUBLINGS)
    return now + min(timedelta(seconds=min(seconds, LONGEST.total_seconds())), LONGEST)
