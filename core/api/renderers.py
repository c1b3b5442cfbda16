"""Values to JSON bytes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer


def to_json(value: object) -> bytes:
    """UTF-8 JSON; UUIDs as lower-case hyphenated strings, times in UTC with microseconds and `Z`."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def rows_to_json(rows: Iterable[Sequence[object]], *, names: Sequence[str], times: Sequence[str]) -> bytes:
    """An array of objects, as `to_json` would write them. `names` are those of a row's values; more values than names
    are left out. `times` are the names of the values that are times in UTC.
    """
    objects: list[dict[str, Any]] = [dict(zip(names, row, strict=False)) for row in rows]
    # orjson itself writes times in this form, and quicker, except that it leaves out microseconds that are 0.
    for name in times:
        for item in objects:
            value = item[name]
            if value is not None and not value.microsecond:
                item[name] = time_text(value)
    return orjson.dumps(objects, option=orjson.OPT_UTC_Z)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def time_text(value: datetime) -> str:
    """The one form of times: in UTC, with microseconds and `Z`."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class JsonAnswer(HttpResponse):
    """An answer whose bytes are made at once, for calls that come all day. DRF's Response makes them in more steps, of
    which we need none. `data` is what it says, as there.
    """

    def __init__(self, data: Any, *, status: int = 200) -> None:
        super().__init__(to_json(data), status=status, content_type=JsonRenderer.media_type)
        self.data = data


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else to_json(data)
