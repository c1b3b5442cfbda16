"""What happens to a delivery after an attempt (contract, section 7.12). Pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The longest wait that a receiver can ask for.
LONGEST_WAIT = timedelta(days=1)
# The statuses of the client's error range after which we try again: time-out, too early, too many requests.
_WORTH_RETRYING = {408, 425, 429}
# The receiver says that it no longer exists, so nothing more is sent to it.
GONE = 410
_DIGITS = re.compile(r"[0-9]{1,9}")


def is_success(status_code: int) -> bool:
    return 200 <= status_code < 300


def is_final(status_code: int | None) -> bool:
    """Whether it is useless to try again. None stands for a request without an answer."""
    return status_code is not None and 400 <= status_code < 500 and status_code not in _WORTH_RETRYING


def next_try(*, now: datetime, attempts: int, retry_after: timedelta | None = None) -> datetime:
    """2^`attempts` seconds after `now`, or later if the receiver asked for it. `attempts` includes the failed one."""
    wait = timedelta(seconds=2**attempts)
    return now + max(wait, min(retry_after or wait, LONGEST_WAIT))


def parse_retry_after(text: str, *, now: datetime) -> timedelta | None:
    """The seconds in the header, or the time until its date. None if it is neither, or in the past."""
    if _DIGITS.fullmatch(text.strip()):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for numbers that are too large for a date
        return None
    wait = at.replace(tzinfo=at.tzinfo or UTC) - now
    return wait if wait > timedelta(0) else None
