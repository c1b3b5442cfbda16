"""Answers of the main thread and of gunicorn's parser: in the API's form, without Django's request, at little cost."""

import random
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson

from core.observation import count_request

# A client that is told to come back later does so after this many seconds at most.
_MOST_RETRY_SECONDS = 5


def refuse(client: Any, status: int, sentence: str | None) -> None:
    """Answer what is no request that could be understood, or what failed; the connection ends after it."""
    # gunicorn's master, which reads this file too, has no Django.
    from core.errors import BadRequest, InternalError  # noqa: PLC0415

    _send(client, status, BadRequest(sentence) if sentence else InternalError(), "Connection: close\r\n")


def refuse_for_now(client: Any, *, is_overload: bool, stays: bool) -> None:
    """Answer that the request waited for too long, or would. `stays` says that the connection takes another one."""
    from core.errors import Busy, Overloaded  # noqa: PLC0415  as above

    # Not all at the same moment, or the next peak would be as high.
    seconds = random.randint(1, _MOST_RETRY_SECONDS) if is_overload else 1  # noqa: S311  no secret
    headers = f"Retry-After: {seconds}\r\n" + ("" if stays else "Connection: close\r\n")
    _send(client, 503, Overloaded() if is_overload else Busy(), headers)


def count_refusal(kind: bytes) -> None:
    """Count a request that gets no thread as one that is answered with 503. `kind` is its method and path."""
    from core.middleware import endpoint_at  # noqa: PLC0415  as above

    method, _, path = kind.decode("latin-1").partition(" ")
    count_request(method=method, endpoint=endpoint_at(path), status=503)


def _send(client: Any, status: int, error: Any, headers: str) -> None:
    from core.api.errors import CACHE_CONTROL, error_body  # noqa: PLC0415  as above

    body = orjson.dumps(error_body(error))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/json\r\nCache-Control: {CACHE_CONTROL}\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    )
    # The client may have gone. It may also not read: such a small answer fits into the kernel's buffer or is lost.
    with suppress(OSError):
        client.send(head.encode() + body)
