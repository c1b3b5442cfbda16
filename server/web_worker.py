"""gunicorn's gthread worker, changed: agents cost less, slow clients hold no thread, refusals have the API's form.

In gunicorn's worker, the main thread hands every request to a thread and takes every connection back, which costs
nearly as much CPU as Django. Agents send several requests in a row, so here a connection stays with its thread for a
moment.
"""

import re
import select
import socket
import struct
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

import orjson
from django.conf import settings
from django.db import connections
from gunicorn.glogging import Logger
from gunicorn.http import errors as http
from gunicorn.http import wsgi
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import TConn, ThreadWorker

from core import admission

_STATUS: dict[type[Exception], tuple[int, str]] = {
    http.LimitRequestLine: (414, "The request line is too long."),
    http.LimitRequestHeaders: (431, "The request has too many headers, or one that is too long."),
    http.ExpectationFailed: (417, "That Expect header cannot be met."),
    http.UnsupportedTransferCoding: (501, "That Transfer-Encoding is not supported."),
}
_OUR_FAULT = (http.InvalidResponseHeader, http.InvalidResponseHeaderName, http.ConfigurationProblem)
_NO_HTTP = (400, "The request is not valid HTTP.")

# How long a thread waits for the next request on a connection before it gives the connection back.
_NEXT_REQUEST_SECONDS = 0.01
# How long a client may take to close a connection that we are done with.
_LEAVE_SECONDS = 2.0
# gunicorn's master needs a sign of life once in `timeout`, not at each event.
_NOTIFY_SECONDS = 1.0
_DRAIN_BYTES = 65536

# A request may wait for the database for this long after it has arrived, others for as long as one statement may. They
# get a thread in the order of their arrival, so this bounds the waiting for a thread too.
_READINESS_SECONDS = 2.5
# Probes have threads of their own: one that never asks the database, so that nothing can hold it, and one that does.
_LIVENESS = re.compile(rb"(?:GET|HEAD) /(?:healthz|health/live) HTTP/1\.[01]\r\n")
_READINESS = re.compile(rb"(?:GET|HEAD) /(?:readyz|health/ready|health) HTTP/1\.[01]\r\n")
_LONGEST_PROBE_LINE = 40
_PROBE_BYTES = 4096
_HAS_BODY = re.compile(rb"\r\n(?:content-length|transfer-encoding):", re.IGNORECASE)


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    """As in gunicorn's worker, only the main thread touches the poller and the lists of connections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._notified = 0.0
        # How many threads may wait for a next request. One thread always remains for other connections.
        self._may_stay = threading.Semaphore(self.cfg.threads - 1)
        # One entry for each request that waits for a thread. The thread that begins the request removes the entry.
        self._waiting: deque[None] = deque()
        self._leaving: deque[TConn] = deque()

    def init_process(self) -> None:
        # Not before the fork, which takes no thread along.
        self._liveness, self._readiness = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        super().init_process()

    def notify(self) -> None:
        now = time.monotonic()
        if now - self._notified >= _NOTIFY_SECONDS:
            self._notified = now
            super().notify()

    # --- A connection begins ---------------------------------------------------------------------

    def enqueue_req(self, conn: TConn) -> None:
        """Give a new connection a thread only when its request begins to arrive, so that silent clients hold none."""
        if conn.initialized or conn.data_ready:
            arrived = time.monotonic()
            if (probe := _probe(conn)) is None:
                self._waiting.append(None)
                future = self.tpool.submit(self.handle, conn, arrived)
            elif _READINESS.match(probe):
                future = self._readiness.submit(self._handle_readiness, conn, arrived)
            else:
                future = self._liveness.submit(self._answer, conn, arrived + _READINESS_SECONDS)
            future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))
            return
        # A client that stalls in the middle of a request or an answer holds a thread. A time-out of the socket object
        # would not help, because gunicorn resets it with each request.
        patience = struct.pack("@ll", self.cfg.timeout, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    # --- Requests are answered, in a thread of the pool ------------------------------------------

    def handle(self, conn: TConn, arrived: float) -> Any:
        """Answer a request and those that follow at once. Returns whether to keep the connection, as gunicorn does."""
        self._waiting.pop()
        kept = self._answer(conn, arrived + settings.DATABASE_PATIENCE_SECONDS)
        while kept is True and self._asks_again(conn):
            kept = self._answer(conn, time.monotonic() + settings.DATABASE_PATIENCE_SECONDS)
        return kept

    def _answer(self, conn: TConn, deadline: float) -> Any:
        admission.begin(deadline)
        try:
            return super().handle(conn)
        finally:
            admission.end()

    def _handle_readiness(self, conn: TConn, arrived: float) -> Any:
        """On a connection to the database that is made for it: readiness is also that one can be made."""
        try:
            return self._answer(conn, arrived + _READINESS_SECONDS)
        finally:
            connections.close_all()

    def _asks_again(self, conn: TConn) -> bool:
        # A busy client must not keep a thread while others wait for one.
        if self._waiting or not self.alive:
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        if not self._may_stay.acquire(blocking=False):
            return False
        try:
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            return bool(poll.poll(_NEXT_REQUEST_SECONDS * 1000))
        finally:
            self._may_stay.release()

    # --- A connection ends -----------------------------------------------------------------------

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Take a connection back. One that is over stays open until the client closes it, without holding a thread."""
        if fs.cancelled() or fs.exception() is not None or fs.result() is not False:
            super().finish_request(conn, fs)
            return
        # The client may be gone already; the next check finds that out.
        with suppress(OSError):
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        if _has_left(conn):
            self._drop(conn)
            return
        conn.timeout = time.monotonic() + _LEAVE_SECONDS
        self._leaving.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_leaving_socket_readable, conn))

    def _on_leaving_socket_readable(self, conn: TConn, client: Any) -> None:
        if _has_left(conn):
            self.poller.unregister(client)
            self._leaving.remove(conn)
            self._drop(conn)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        while self._leaving and self._leaving[0].timeout <= now:
            conn = self._leaving.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    # --- Requests that are not HTTP --------------------------------------------------------------

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer in the API's form. gunicorn would repeat the refused line in an HTML page and in its log, and a
        malformed Authorization line holds a key.
        """
        if isinstance(exc, http.ParseException) and not isinstance(exc, _OUR_FAULT):
            status, sentence = _STATUS.get(type(exc), _NO_HTTP)
            self.log.warning("refused a request from %s: %s", addr[0] if addr else "", type(exc).__name__)
            _answer(client, status, sentence)
        else:
            self.log.error("failed to answer a request", exc_info=exc)
            _answer(client, 500, None)


class WebResponse(wsgi.Response):  # type: ignore[misc]  # gunicorn is not typed
    """Sends the head of the answer together with the beginning of the body, where gunicorn sends two packets."""

    sock: Any

    def write(self, arg: bytes) -> None:
        if self.headers_sent:
            super().write(arg)
            return
        sock, packet = self.sock, _Packet()
        self.sock = packet
        try:
            super().write(arg)
        finally:
            self.sock = sock
        sock.sendall(b"".join(packet.parts))


class _Packet:
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, part: bytes) -> None:
        self.parts.append(part)


# The worker takes the class from there; it has no setting for it.
wsgi.Response = WebResponse


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn is not typed
    """Writes no access log: RequestMiddleware does. gunicorn would build each line and throw it away."""

    def access(self, *_args: Any) -> None:
        """No line."""


def _probe(conn: TConn) -> bytes | None:
    """The head of a probe that has come as a whole, so that nobody can hold up a probe's thread; else None."""
    if conn.initialized and conn.parser.unreader.buf.getvalue():
        return None
    try:
        line = conn.sock.recv(_LONGEST_PROBE_LINE, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if not (_LIVENESS.match(line) or _READINESS.match(line)):
            return None
        head: bytes = conn.sock.recv(_PROBE_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return None
    return head if head.endswith(b"\r\n\r\n") and not _HAS_BODY.search(head) else None


def _has_left(conn: TConn) -> bool:
    """Whether the client has closed its end. Reads and drops what the client still sends; otherwise the kernel would
    reset the connection, and the client could lose the end of our answer.
    """
    try:
        return not conn.sock.recv(_DRAIN_BYTES)
    except BlockingIOError:
        return False
    except OSError:
        return True


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
