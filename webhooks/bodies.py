"""The body of a delivery in the format of its subscription."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from webhooks.formats import Format, body_of
from webhooks.notices import Names, notice_of
from webhooks.payloads import render


def render_in(
    format: Format,  # noqa: A002  # the word of the wire
    *,
    event_id: UUID,
    event_type: str,
    at: datetime,
    data: Mapping[str, object],
    names: Names,
) -> str:
    """The text that is sent. `names` are for the formats for people."""
    if format == Format.STANDARD:
        return render(event_id=event_id, event_type=event_type, at=at, data=data)
    return body_of(notice_of(event_type=event_type, at=at, data=data, names=names), format)
