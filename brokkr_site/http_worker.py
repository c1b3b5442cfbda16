"""The gunicorn worker: what the server refuses before it reaches Django is answered in the one error shape too."""

import socket
from http.client import responses
from typing import Any

from gunicorn import util
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from core.errors import BadRequest, DomainError, HeadersTooLarge, InternalError, UriTooLong


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002  # gunicorn passes `req` by position
        # Needs Django's settings, and the process that starts the workers reads this module without them.
        from core.api.errors import error_body, status_of  # noqa: PLC0415
        from core.api.renderers import to_json  # noqa: PLC0415

        error = refusal(exc)
        if isinstance(error, InternalError):
            self.log.error("a request failed outside Django", exc_info=exc)
        else:
            self.log.warning("not an HTTP request we take, from %s: %s", addr[0] if addr else "-", exc)
        status, body = status_of(error), to_json(error_body(error))
        head = (
            f"HTTP/1.1 {status} {responses[status]}\r\n"
            "Connection: close\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("the client was gone before it could be told")


def refusal(exc: BaseException) -> DomainError:
    """What an exception of gunicorn's own means to the client."""
    match exc:
        case LimitRequestLine():
            return UriTooLong()
        case LimitRequestHeaders():
            return HeadersTooLarge()
        case ParseException():
            return BadRequest()
        case _:
            return InternalError()
