"""What becomes of a delivery after an attempt (contract, section 7.12). Pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A receiver that asks for more gets no more.
LONGEST_WAIT = timedelta(days=1)
# What a receiver may say and be asked again: time-out, too early, too many.
_WORTH_RETRYING = {408, 425, 429}
# "I am gone for good": nothing more is sent to it.
GONE = 410
_DIGITS = re.compile(r"[0-9]{1,9}")


def is_success(status_code: int) -> bool:
    return 200 <= status_code < 300


def is_final(status_code: int | None) -> bool:
    """Whether trying again is of no use. None is a request that had no answer."""
    return status_code is not None and 400 <= status_code < 500 and status_code not in _WORTH_RETRYING


def next_try(*, now: datetime, attempts: int, retry_after: timedelta | None = None) -> datetime:
    """2^`attempts` seconds after `now`, later when the receiver asked for it; `attempts` counts the failed one."""
    wait = timedelta(seconds=2**attempts)
    return now + max(wait, min(retry_after or wait, LONGEST_WAIT))


def parse_retry_after(text: str, *, now: datetime) -> timedelta | None:
    """The header's seconds, or the time until its date; None for what is neither or lies behind."""
    if _DIGITS.fullmatch(text.strip()):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for numbers that no date holds
        return None
    wait = at.replace(tzinfo=at.tzinfo or UTC) - now
    return wait if wait > timedelta(0) else None
