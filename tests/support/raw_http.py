"""HTTP by hand: sends bytes to a broker's socket and reads answers, for requests that no library would send."""

import io
import socket
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, Self, cast

import orjson

from tests.support.server import LiveServer


class Answer:
    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self) -> Any:
        return orjson.loads(self.body)


class _Incoming(io.BufferedReader):
    """The bytes from the server. It stays open after an answer was read."""

    def close(self) -> None:
        pass

    def end(self) -> None:
        super().close()

    def makefile(self, _mode: str) -> Self:
        """The only method of a socket that HTTPResponse calls."""
        return self


class Wire:
    """One connection to the broker."""

    def __init__(self, broker: LiveServer, key: str | None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", broker.port), timeout=60)
        self._incoming = _Incoming(self._socket.makefile("rb", buffering=0))
        self._key = key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._incoming.end()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end_sending(self) -> None:
        """Close our side of the connection: the server sees the end of the request and can still answer."""
        self._socket.shutdown(socket.SHUT_WR)

    def head(self, method: str, path: str, **headers: str) -> bytes:
        """The head of a request. `path` is appended to /api/v1 unchanged. Underscores in header names become dashes."""
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: broker"]
        if self._key:
            headers = {"Authorization": f"Bearer {self._key}"} | headers
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def answer(self, method: str = "GET") -> Answer:
        """The next answer on the connection."""
        response = HTTPResponse(cast(socket.socket, self._incoming), method=method)
        response.begin()
        return Answer(response)

    def read_line(self) -> bytes:
        """One line with its line end."""
        return self._incoming.readline()

    def exchange(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one ordinary request and return its answer."""
        if body is not None:
            headers = {"Content_Type": "application/json", "Content_Length": str(len(body))} | headers
        self.send(self.head(method, path, **headers) + (body or b""))
        return self.answer(method)

    def is_open(self) -> bool:
        """Whether the connection takes another request."""
        return self.exchange("POST", "/auth/pak", b"").status == 200


def chunked(*parts: bytes) -> bytes:
    """A whole body, divided into chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))
