"""A small HTTP/1.1 client that counts bytes and can misbehave: cut a connection, read slowly."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import orjson

_TIMEOUT_SECONDS = 60.0
_SLOW_CHUNK = 2048
_SLOW_PAUSE_SECONDS = 0.01
_STREAM_LIMIT = 1 << 20


class CutOff(Exception):
    """The client cut the connection on purpose; whether the server acted is unknown."""


class NoAnswer(Exception):
    """The server closed the connection, or sent something that is not an HTTP answer."""


class Misbehaviour(StrEnum):
    """What a client can do wrong with one request."""

    CUT_WHILE_SENDING = "cut_while_sending"
    CUT_BEFORE_ANSWER = "cut_before_answer"
    READ_SLOWLY = "read_slowly"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and when its request began and when it had arrived, by the machine's monotonic clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    began: float
    ended: float
    sent: int
    received: int

    def json(self) -> Any:
        """The parsed body. Raises ValueError if it is not JSON."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Request:
    """A request below /api/v1. `key` is the caller's PAK. `body` is sent as JSON; None means no body."""

    method: str
    path: str
    key: str
    body: object = None
    headers: Mapping[str, str] | None = None


class Site:
    """The address of the broker. Raises ValueError if the URL is not http or https."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is not an http or https URL")
        self.host = parts.hostname
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.port = parts.port or (443 if self.tls else 80)
        self.prefix = parts.path.rstrip("/") + "/api/v1"
        self.authority = parts.netloc.rpartition("@")[2]


class Connection:
    """At most one connection, opened when it is needed and kept as long as the server keeps it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, request: Request, *, misbehaviour: Misbehaviour | None = None) -> Answer:
        """Send the request. Raises CutOff if it has to cut; OSError, TimeoutError or NoAnswer if there is no answer."""
        message = self._message(request)
        began = time.monotonic()
        reused = self._streams is not None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                try:
                    status, found, content, received = await self._exchange(message, misbehaviour)
                except (OSError, NoAnswer):
                    # The server may close an idle connection just when we use it again.
                    if not reused:
                        raise
                    self.close()
                    status, found, content, received = await self._exchange(message, misbehaviour)
        except BaseException:
            self.close()
            raise
        if found.get("connection", "").lower() == "close" or misbehaviour is not None:
            self.close()
        return Answer(status, found, content, began, time.monotonic(), len(message), received)

    def close(self) -> None:
        """Close the connection at once."""
        if self._streams is not None:
            with suppress(OSError, RuntimeError):
                self._streams[1].transport.abort()
            self._streams = None

    def _message(self, request: Request) -> bytes:
        lines = [
            f"{request.method} {self._site.prefix}{request.path} HTTP/1.1",
            f"Host: {self._site.authority}",
            f"Authorization: Bearer {request.key}",
            "User-Agent: brokkr-simulator",
        ]
        if request.headers is not None:
            lines += [f"{name}: {value}" for name, value in request.headers.items()]
        content = b"" if request.body is None else orjson.dumps(request.body)
        if request.body is not None:
            lines.append("Content-Type: application/json")
        if content or request.method in {"POST", "PUT"}:
            lines.append(f"Content-Length: {len(content)}")
        return "\r\n".join([*lines, "", ""]).encode() + content

    async def _open(self, *, slow: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        limit = _SLOW_CHUNK if slow else _STREAM_LIMIT
        reader, writer = await asyncio.open_connection(
            self._site.host, self._site.port, ssl=self._site.tls, limit=max(limit, 16 * 1024)
        )
        if slow:
            # Otherwise the kernel receives the whole answer, and the server does not notice the slow reader.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_CHUNK)
        return reader, writer

    async def _exchange(
        self, message: bytes, misbehaviour: Misbehaviour | None
    ) -> tuple[int, dict[str, str], bytes, int]:
        if self._streams is None:
            self._streams = await self._open(slow=misbehaviour is Misbehaviour.READ_SLOWLY)
        reader, writer = self._streams
        if misbehaviour is Misbehaviour.CUT_WHILE_SENDING:
            writer.write(message[: max(len(message) // 2, 1)])
            await writer.drain()
            raise CutOff
        writer.write(message)
        await writer.drain()
        if misbehaviour is Misbehaviour.CUT_BEFORE_ANSWER:
            raise CutOff
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            status, headers = _parse(head)
            content = await _content(reader, status, headers, slow=misbehaviour is Misbehaviour.READ_SLOWLY)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise NoAnswer(str(error)) from error
        return status, headers, content, len(head) + len(content)


def _parse(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(first.split(" ", 2)[1]), headers


async def _content(
    reader: asyncio.StreamReader, status: int, headers: Mapping[str, str], *, slow: bool
) -> bytes:
    if status in {204, 304}:
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(parts)
    length = int(headers["content-length"]) if "content-length" in headers else None
    if length is None:
        return await reader.read(-1)
    if not slow:
        return await reader.readexactly(length)
    parts, remaining = [], length
    while remaining:
        part = await reader.read(min(_SLOW_CHUNK, remaining))
        if not part:
            raise NoAnswer("the answer ended early")
        parts.append(part)
        remaining -= len(part)
        await asyncio.sleep(_SLOW_PAUSE_SECONDS)
    return b"".join(parts)
