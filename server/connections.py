"""A client's connection, and when the request on it has arrived as far as a thread needs it.

The main thread reads every head, and every body of ordinary size, before a thread gets the request. So a client that
sends slowly holds no thread.
"""

import re
import select
import socket
import struct
import time
from collections.abc import Hashable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from gunicorn.workers.gthread import TConn

from server.request_queue import Waiting

_READ_BYTES = 16384
_DRAIN_BYTES = 65536
# A longer head is refused.
_MOST_HEAD_BYTES = 64 * 1024
# A longer body is read by the thread that answers the request, so that bodies cannot fill the memory.
_MOST_BODY_BYTES = 1024 * 1024
# The time for a whole head, and for a body beyond the time that its length takes at this speed.
HEAD_SECONDS = 10.0
_BODY_BYTES_PER_SECOND = 16 * 1024

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
# The body does not come in this form, or not before somebody answers the head.
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)
_CALLER = re.compile(rb"\r\n(?:authorization|cookie):[ \t]*([^\r]*)", re.IGNORECASE)
_CONDITION = re.compile(rb"\r\nif-none-match:", re.IGNORECASE)
_UUID = re.compile(rb"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})")
_FILES = b"/static/"
_LARGE = b"large body"
_POLL = b"GET /api/v1/agents/:id/target-state"
_HEARTBEATS = {b"POST /api/v1/agents/:id/heartbeat", b"POST /api/v1/agents/:id/sync"}


class Arrival(Enum):
    """How much of a request is here."""

    PART = auto()
    WHOLE = auto()
    TOO_LONG = auto()
    GONE = auto()


class Connection(TConn):  # type: ignore[misc]  # gunicorn is not typed
    """A connection that the main thread reads without waiting, and a thread with waiting.

    `received` holds what was read and not yet given to a thread. `kind` is the method and the path, without ids, of the
    latest request; `is_declined` says that the lane leaves it to the views. `until` is the moment, in seconds of the
    monotonic clock, until which the connection may stay as it is.
    """

    def __init__(
        self, cfg: Any, client: socket.socket, address: Any, server: Any, *, idle_seconds: float
    ) -> None:
        super().__init__(cfg, client, address, server)
        # A client that stalls in the middle of an answer, or of a long body, holds a thread. A time-out of the socket
        # object would not help, because gunicorn resets it with each request.
        patience = struct.pack("@ll", cfg.timeout, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        self.init()
        self.received = bytearray()
        self._whole = 0
        self.head = b""
        self.kind = b""
        self.is_large = False
        self.is_declined = False
        self._poll: Any = None
        self.wait(idle_seconds)

    def wait(self, seconds: float) -> None:
        """Let the next request begin within so many seconds."""
        self.sock.setblocking(False)
        self.until = time.monotonic() + seconds

    def receive(self) -> Arrival:
        """Read what has come, without waiting."""
        try:
            data = self.sock.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return self.arrival()
        except OSError:
            return Arrival.GONE
        if not data:
            # Whoever closes its end in the middle of a body is told so, by the view.
            return Arrival.WHOLE if self.head or self._has_head() else Arrival.GONE
        if not self.received:
            self.until = time.monotonic() + HEAD_SECONDS
        self.received += data
        return self.arrival()

    def receive_within(self, seconds: float) -> Arrival:
        """Read what has come, or what comes first within so many seconds."""
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
        return self.receive() if self._poll.poll(seconds * 1000) else self.arrival()

    def arrival(self) -> Arrival:
        """How much of the next request has been read."""
        if not self.head and not self._has_head():
            return Arrival.TOO_LONG if len(self.received) > _MOST_HEAD_BYTES else Arrival.PART
        return Arrival.WHOLE if len(self.received) >= self._whole else Arrival.PART

    def _has_head(self) -> bool:
        end = self.received.find(_HEAD_END)
        if end < 0:
            return False
        self.head = bytes(self.received[: end + len(_HEAD_END)])
        self._whole = len(self.head)
        self.is_declined = False
        found = _LENGTH.search(self.head)
        length = int(found[1]) if found else 0
        self.until = time.monotonic() + HEAD_SECONDS + length / _BODY_BYTES_PER_SECOND
        self.is_large = length > _MOST_BODY_BYTES or bool(_UNUSUAL.search(self.head))
        if not self.is_large:
            self._whole += length
        return True

    def request(self) -> Waiting:
        """The request that has arrived."""
        method, _, rest = self.head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        # Every second part is an id.
        parts = _UUID.split(path)
        self.kind = method + b" " + (_FILES if path.startswith(_FILES) else b":id".join(parts[::2]))
        shares: list[Hashable] = [self.kind, *parts[1::2]]
        if caller := _CALLER.search(self.head):
            shares.append(caller[1])
        if self.is_large:
            shares.append(_LARGE)
        is_vital = self.kind in _HEARTBEATS or (self.kind == _POLL and bool(_CONDITION.search(self.head)))
        return Waiting(self, time.monotonic(), tuple(dict.fromkeys(shares)), is_vital)

    def begin(self) -> None:
        """Give what has been received to the parser, which a thread runs."""
        self.parser.unreader.unread(bytes(self.received))
        self._forget(len(self.received))

    def end(self) -> None:
        """Take back what has been read of the next request already."""
        self.received += self.parser.unreader.take_buffered()

    @property
    def body(self) -> bytes | None:
        """The body of the request that has arrived, or None if a thread has to read it."""
        if self.is_large or len(self.received) < self._whole:
            return None
        return bytes(self.received[len(self.head) : self._whole])

    def skip(self) -> bool:
        """Drop the request that has arrived. Returns whether the connection can take another one."""
        if self.is_large or len(self.received) < self._whole:
            return False
        self._forget(self._whole)
        return True

    def _forget(self, length: int) -> None:
        del self.received[:length]
        self.head = b""

    def has_left(self) -> bool:
        """Whether the client has closed its end. Reads and drops what the client still sends."""
        try:
            return not self.sock.recv(_DRAIN_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def stop_reading(self) -> None:
        """Let the thread that reads a long body find its end now."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)
