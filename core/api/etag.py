"""Entity tags: a hash of the very bytes that are sent. They are sent as strong ones and compared weakly."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from core.errors import PreconditionFailed


def etag_of(body: bytes) -> str:
    """The quoted tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def names_tag(header: str | None, etag: str) -> bool:
    """Whether a header with tags names `etag`. Compared weakly: a compressing proxy makes strong tags weak."""
    if header is None or header == etag:
        return header is not None
    tags = parse_etags(header)
    return tags == ["*"] or etag in {tag.removeprefix("W/") for tag in tags}


def tagged_response(request: HttpRequest, body: bytes, media_type: str = "application/json") -> HttpResponse:
    """200 with the body, or an empty 304 when the client asks for what it has. Who changes something does not ask."""
    etag = etag_of(body)
    asks = request.method in {"GET", "HEAD"}
    if asks and names_tag(request.META.get("HTTP_IF_NONE_MATCH"), etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(body, content_type=media_type, headers={"ETag": etag})


def require_match(request: HttpRequest, current: bytes | None) -> None:
    """Raises PreconditionFailed when If-Match is sent and does not name the tag of `current`.

    Where there is nothing yet it names nothing, `*` included. A weak tag is as good as a strong one: it names the state
    that the client read, and that is what a change is about; its bytes on the way are not.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return
    if current is None or not names_tag(header, etag_of(current)):
        raise PreconditionFailed


def require_none(request: HttpRequest, current: bytes | None) -> None:
    """Raises PreconditionFailed when If-None-Match is sent and names the tag of `current`; `*` names any."""
    if current is not None and names_tag(request.META.get("HTTP_IF_NONE_MATCH"), etag_of(current)):
        raise PreconditionFailed
