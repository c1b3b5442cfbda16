"""gunicorn's worker, refusing what is no HTTP in the API's own form."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors as http
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

_STATUS: dict[type[Exception], tuple[int, str]] = {
    http.LimitRequestLine: (414, "The request line is too long."),
    http.LimitRequestHeaders: (431, "The request has too many headers, or one that is too long."),
    http.ExpectationFailed: (417, "That Expect header cannot be met."),
    http.UnsupportedTransferCoding: (501, "That Transfer-Encoding is not supported."),
}
_OUR_FAULT = (http.InvalidResponseHeader, http.InvalidResponseHeaderName, http.ConfigurationProblem)
_NO_HTTP = (400, "The request is not valid HTTP.")


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    """gunicorn's own refusals are HTML pages that repeat the line they refuse, and so does its log. In a header
    line that is only nearly right that would be a key.
    """

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if isinstance(exc, http.ParseException) and not isinstance(exc, _OUR_FAULT):
            status, sentence = _STATUS.get(type(exc), _NO_HTTP)
            self.log.warning("refused a request from %s: %s", addr[0] if addr else "", type(exc).__name__)
            _answer(client, status, sentence)
        else:
            self.log.error("failed to answer a request", exc_info=exc)
            _answer(client, 500, None)


def _answer(client: Any, status: int, sentence: str | None) -> None:
    # gunicorn's master, which reads this file too, has no Django.
    from core.api.errors import error_body  # noqa: PLC0415
    from core.errors import BadRequest, InternalError  # noqa: PLC0415

    body = orjson.dumps(error_body(BadRequest(sentence) if sentence else InternalError()))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    # The client may have gone.
    with suppress(OSError):
        write_nonblock(client, head.encode() + body)
