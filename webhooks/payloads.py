"""The body of a delivery (contract, section 7.1). Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import orjson


def render(*, event_id: UUID, event_type: str, at: datetime, data: Mapping[str, object]) -> str:
    """The JSON text. Ids are text; times are in UTC with microseconds and `Z`."""
    event = {"id": event_id, "event_type": event_type, "timestamp": at, "data": dict(data)}
    return orjson.dumps(event, default=_time, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    raise TypeError(f"{type(value).__name__} has no JSON form here")
