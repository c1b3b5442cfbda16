"""A webhook endpoint that really listens, on loopback, and answers as it is told."""

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

PATIENCE_SECONDS = 30.0
# Where a receiver listens: what a test allows the broker to reach.
LOOPBACK = "127.0.0.1"
# With this in its environment a broker reaches them.
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
        """The event, after the signature was checked by the reference library; raises when it is not the secret's."""
        return Webhook(secret).verify(self.body, dict(self.headers))


# What is done with a request instead of an ordinary answer; it gets the connection after the request was read.
Reply = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    """An ordinary answer; underscores in names of headers become dashes."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def close_connection(handler: BaseHTTPRequestHandler) -> None:
    """No answer at all."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def send_raw(data: bytes) -> Reply:
    """Just these bytes, then the end of the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return reply


def after(event: threading.Event, then: Reply) -> Reply:
    """Keep the sender waiting until something else has happened."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        assert event.wait(PATIENCE_SECONDS), "what the receiver waits for did not happen"
        then(handler)

    return reply


def setting(event: threading.Event, then: Reply) -> Reply:
    """Let others know that the request is here."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        event.set()
        then(handler)

    return reply


OK = answer(204)


@dataclass
class Receiver:
    """`received` has every request in the order in which they came; `replies` the next answers of each path."""

    port: int
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    replies: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    usual: Reply = OK
    # The names that TLS clients asked for.
    server_names: list[str | None] = field(default_factory=list)
    # Of requests that were being answered at the same time, by path.
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
        """Count the request no longer as under way. Before its answer is sent: the next may come upon it at once."""
        with self._lock:
            self._under_way[path].discard(handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many deliveries may come at the same moment.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that ended in the middle is what some tests are about."""


@contextmanager
def running_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listens as long as the block."""

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
