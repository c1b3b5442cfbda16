"""Moments as the broker and Kubernetes write them."""

from datetime import UTC, datetime


def now() -> str:
    """The present moment in UTC, to the microsecond, with `Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
