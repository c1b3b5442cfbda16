"""A real webhook endpoint on loopback, which gives the answers that a test sets."""

import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from standardwebhooks.webhooks import Webhook

PATIENCE_SECONDS = 120.0
# The network in which a receiver listens; tests allow the broker to reach it.
LOOPBACK = "127.0.0.1"
# A broker with this environment can reach receivers.
LOOPBACK_ALLOWED = {
    "BROKKR_WEBHOOK_ALLOWED_NETWORKS": f"{LOOPBACK}/32",
    "BROKKR_WEBHOOK_ALLOWED_PORTS": "*",
}


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> Any:
        """Check the signature with the reference library. Returns the event; raises if the secret does not match."""
        return Webhook(secret).verify(self.body, dict(self.headers))


# A function that handles a request in place of an ordinary answer. It gets the connection after the request was read.
Reply = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    """An ordinary answer. Underscores in header names become dashes."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def close_connection(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def send_raw(data: bytes) -> Reply:
    """Send only these bytes, then close the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return reply


def after(event: threading.Event, then: Reply) -> Reply:
    """Let the sender wait until the event is set."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        assert event.wait(PATIENCE_SECONDS), "what the receiver waits for did not happen"
        then(handler)

    return reply


def setting(event: threading.Event, then: Reply) -> Reply:
    """Set the event when the request has arrived."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        event.set()
        then(handler)

    return reply


def meeting(barrier: threading.Barrier, then: Reply) -> Reply:
    """Let as many senders wait for each other as the barrier is for."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        barrier.wait(PATIENCE_SECONDS)
        then(handler)

    return reply


OK = answer(204)


@dataclass
class Receiver:
    """`received` has all requests in the order in which they came; `replies` has the next answers for each path."""

    port: int
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    replies: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    usual: Reply = OK
    # The host names that TLS clients asked for.
    server_names: list[str | None] = field(default_factory=list)
    # By path, the largest number of requests that were being answered at the same time.
    most_at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _under_way: dict[str, set[BaseHTTPRequestHandler]] = field(default_factory=lambda: defaultdict(set))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook", host: str = LOOPBACK) -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def ids(self, path: str = "/hook") -> list[str]:
        return [request.id for request in self.received if request.path == path]

    def handle(self, request: Received, handler: BaseHTTPRequestHandler) -> None:
        path = request.path
        with self._lock:
            self.received.append(request)
            self._under_way[path].add(handler)
            self.most_at_once[path] = max(self.most_at_once[path], len(self._under_way[path]))
            reply = self.replies[path].pop(0) if self.replies[path] else self.usual
        try:
            reply(handler)
        finally:
            self.is_answered(path, handler)

    def is_answered(self, path: str, handler: BaseHTTPRequestHandler) -> None:
        """Count the request as ended. Called before its answer is sent, because the next request may follow at once."""
        with self._lock:
            self._under_way[path].discard(handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many deliveries may come at the same time.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: in some tests the sender ends in the middle of a request."""


@contextmanager
def running_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.handle(Received(self.path, dict(self.headers), body), self)

        def send_response(self, code: int, message: str | None = None) -> None:
            receiver.is_answered(self.path, self)
            super().send_response(code, message)

        def log_message(self, *args: Any) -> None:
            pass

    server = _Server((LOOPBACK, 0), Handler)
    receiver = Receiver(port=server.server_address[1], scheme="https" if tls else "http")
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: receiver.server_names.append(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)
