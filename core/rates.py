"""The rate limit: a token bucket for each key, in the database, so that all processes share it.

Taking a token is one statement. A cache would need a read and then a write, and between the two a caller with many
connections would get one token for each connection.
"""

from uuid import UUID

from django.conf import settings

from core import clock
from core.errors import RateLimited
from core.models import RateBucket
from core.prepared import fetch_one, uuid_parameter

# A bucket is stored as the time at which it will be full. Taking a token moves that time one interval ahead. The
# bucket is empty when that time is as far ahead as filling the whole bucket takes.
_TAKE = """
INSERT INTO rate_buckets (key, full_at) VALUES (%(key)s, %(now)s + %(interval)s)
ON CONFLICT (key) DO UPDATE SET full_at = %(interval)s
    + CASE WHEN rate_buckets.full_at > %(now)s THEN rate_buckets.full_at ELSE %(now)s END
WHERE rate_buckets.full_at <= %(now)s + %(room)s
RETURNING full_at
"""


def is_limited() -> bool:
    """Whether a rate limit is configured."""
    return bool(settings.RATE_LIMIT_PER_SECOND)


def take_token(key_id: UUID, *, now: float | None = None) -> None:
    """Take a token from the key's bucket. `now` is in seconds since 1970.

    Raises RateLimited with the seconds until the next token when there is none. A refused request takes no token.
    """
    now = clock.now().timestamp() if now is None else now
    interval = 1 / settings.RATE_LIMIT_PER_SECOND
    room = (settings.RATE_LIMIT_BURST - 1) * interval
    parameters = {"key": uuid_parameter(key_id), "now": now, "interval": interval, "room": room}
    if fetch_one(_TAKE, parameters) is None:
        full_at = RateBucket.objects.values_list("full_at", flat=True).get(key=key_id)
        # Rounded up and never 0, because a client that waits this long must find a token.
        raise RateLimited(retry_after_seconds=max(1, int(full_at - room - now) + 1))
