"""Answers of the main thread and of gunicorn's parser: without Django's request, at little cost.

They have the API's form; who opens a page of the admin is shown a page.
"""

import random
import re
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors as http

from core.observation import count_request

# A client that is told to come back later does so after this many seconds at most.
_MOST_RETRY_SECONDS = 5
_STATUS: dict[type[BaseException], tuple[int, str]] = {
    http.LimitRequestLine: (414, "The request line is too long."),
    http.LimitRequestHeaders: (431, "The request has too many headers, or one that is too long."),
    http.ExpectationFailed: (417, "That Expect header cannot be met."),
    http.UnsupportedTransferCoding: (501, "That Transfer-Encoding is not supported."),
}
_OUR_FAULT = (http.InvalidResponseHeader, http.InvalidResponseHeaderName, http.ConfigurationProblem)
_NO_HTTP = (400, "The request is not valid HTTP.")
_PAGES = b"GET /admin/"
_ACCEPTS_HTML = re.compile(rb"\r\naccept:[^\r]*text/html", re.IGNORECASE)
_JSON = "application/json"


def refuse(client: Any, status: int, sentence: str | None) -> None:
    """Answer what is no request that could be understood, or what failed; the connection ends after it."""
    # gunicorn's master, which reads this file too, has no Django.
    from core.errors import BadRequest, InternalError  # noqa: PLC0415

    body = _in_json(BadRequest(sentence) if sentence else InternalError())
    _send(client, status, body, f"Content-Type: {_JSON}\r\nConnection: close\r\n")


def refuse_unreadable(client: Any, error: BaseException) -> bool:
    """Answer a request that gunicorn cannot read. False, and nothing sent, if the error is not the client's."""
    if not isinstance(error, http.ParseException) or isinstance(error, _OUR_FAULT):
        return False
    refuse(client, *_STATUS.get(type(error), _NO_HTTP))
    return True


def asks_for_page(head: bytes) -> bool:
    """Whether a browser opens a page of the admin with this head. Scripts and parts of pages do not ask for HTML."""
    return head.startswith(_PAGES) and bool(_ACCEPTS_HTML.search(head))


def refuse_for_now(client: Any, *, is_overload: bool, stays: bool, is_page: bool = False) -> None:
    """Answer that the request waited for too long, or would. `stays` says that the connection takes another one."""
    # Not all at the same moment, or the next peak would be as high.
    seconds = random.randint(1, _MOST_RETRY_SECONDS) if is_overload else 1  # noqa: S311  no secret
    body, headers = _not_now(is_overload=is_overload, is_page=is_page)
    headers += f"Retry-After: {seconds}\r\n" + ("" if stays else "Connection: close\r\n")
    _send(client, 503, body, headers)


@cache
def _not_now(*, is_overload: bool, is_page: bool) -> tuple[bytes, str]:
    """The body and its own headers, made once: there is no time for it when many are refused."""
    from django.template.loader import render_to_string  # noqa: PLC0415  as above

    from core.content_security import PAGE_POLICY  # noqa: PLC0415  as above
    from core.errors import Busy, Overloaded  # noqa: PLC0415  as above

    error = Overloaded() if is_overload else Busy()
    if not is_page:
        return _in_json(error), f"Content-Type: {_JSON}\r\n"
    page = render_to_string("503.html", {"sentence": error.text})
    return (
        page.encode(),
        f"Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: {PAGE_POLICY}\r\n",
    )


def count_refusal(kind: bytes) -> None:
    """Count a request that gets no thread as one that is answered with 503. `kind` is its method and path."""
    from core.middleware import endpoint_at  # noqa: PLC0415  as above

    method, _, path = kind.decode("latin-1").partition(" ")
    count_request(method=method, endpoint=endpoint_at(path), status=503)


def _in_json(error: Any) -> bytes:
    from core.api.errors import error_body  # noqa: PLC0415  as above

    return orjson.dumps(error_body(error))


def _send(client: Any, status: int, body: bytes, headers: str) -> None:
    from core.api.errors import CACHE_CONTROL  # noqa: PLC0415  as above

    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Cache-Control: {CACHE_CONTROL}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    )
    # The client may have gone. It may also not read: such a small answer fits into the kernel's buffer or is lost.
    with suppress(OSError):
        client.send(head.encode() + body)
