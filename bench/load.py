"""A load generator that costs little itself: one process, blocking nowhere, sockets watched by epoll.

Reads jobs as JSON lines on stdin, and for each writes one JSON line with what it saw. `requests` are sent in turn, with
that many connections at once; without keep-alive each request has a connection of its own, as gunicorn's sync worker
wants. With a `rate`, which is for requests without keep-alive, so many begin in a second, and the latency counts from
the moment at which each is due; without one, each connection's next request follows its answer.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache


@dataclass
class Seen:
    """`latencies` in milliseconds, sorted."""

    seconds: float
    statuses: Counter
    latencies: list[float]

    @property
    def count(self) -> int:
        return self.statuses.total()

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


def generate(
    port: int,
    requests: Sequence[str],
    *,
    connections: int,
    seconds: float,
    keep_alive: bool = False,
    rate: float | None = None,
) -> Seen:
    """Load from a process of its own, the same one for all calls, because starting it takes as long as a short load."""
    job = {
        "port": port,
        "requests": list(requests),
        "connections": connections,
        "seconds": seconds,
        "keep_alive": keep_alive,
        "rate": rate,
    }
    process = _process()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    data = json.loads(process.stdout.readline())
    return Seen(data["seconds"], Counter(data["statuses"]), sorted(data["latencies"]))


@cache
def _process() -> subprocess.Popen[str]:
    """It ends when its stdin does, so at the latest with this process."""
    return subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def request(method: str, path: str, *, key: str = "", headers: Sequence[str] = (), body: str = "") -> str:
    """The bytes of a request, as text."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *headers]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    elif method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]) + body


class _Client:
    __slots__ = ("began", "buffer", "expected", "pending", "socket")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.pending = b""
        self.buffer = bytearray()
        self.expected = -1
        self.began = 0.0


def _run(job: dict) -> dict:  # noqa: C901, PLR0912, PLR0915  one loop that is cheap because it is one
    address, keep_alive, rate = ("127.0.0.1", job["port"]), job["keep_alive"], job["rate"]
    requests = [text.encode() for text in job["requests"]]
    if not keep_alive:
        requests = [
            each.replace(b"\r\nHost: bench\r\n", b"\r\nHost: bench\r\nConnection: close\r\n", 1)
            for each in requests
        ]
    epoll, clients, turn = select.epoll(), {}, 0
    statuses: Counter[str] = Counter()
    latencies: list[float] = []

    def start(client: _Client) -> None:
        nonlocal turn
        client.pending = requests[turn % len(requests)]
        turn += 1
        client.buffer.clear()
        client.expected = -1
        client.began = due if rate else time.perf_counter()
        if client.socket is None:
            client.socket = socket.socket()
            client.socket.setblocking(False)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(BlockingIOError):
                client.socket.connect(address)
            clients[client.socket.fileno()] = client
            epoll.register(client.socket.fileno(), select.EPOLLOUT)
        else:
            epoll.modify(client.socket.fileno(), select.EPOLLOUT)

    def close(client: _Client) -> None:
        number = client.socket.fileno()
        epoll.unregister(number)
        del clients[number]
        client.socket.close()
        client.socket = None

    def finish(client: _Client, status: str, *, closed: bool) -> None:
        latencies.append((time.perf_counter() - client.began) * 1000)
        statuses[status] += 1
        if closed or not keep_alive:
            close(client)
        if rate:
            free.append(client)
        elif time.perf_counter() < end:
            start(client)
        elif client.socket is not None:
            close(client)

    began = due = time.perf_counter()
    end = began + job["seconds"]
    free = [_Client() for _ in range(job["connections"])]
    while free and not rate:
        start(free.pop())
    while clients or (rate and due < end):
        while rate and free and due <= min(time.perf_counter(), end):
            start(free.pop())
            due += 1 / rate
        wait = due - time.perf_counter() if rate and free and due < end else 1.0
        for number, event in epoll.poll(max(wait, 0.0)):
            client = clients[number]
            if event & select.EPOLLOUT and client.pending:
                try:
                    sent = client.socket.send(client.pending)
                except OSError as error:
                    finish(client, type(error).__name__, closed=True)
                    continue
                client.pending = client.pending[sent:]
                if not client.pending:
                    epoll.modify(number, select.EPOLLIN)
                continue
            try:
                part = client.socket.recv(262144)
            except OSError as error:
                finish(client, type(error).__name__, closed=True)
                continue
            client.buffer += part
            if client.expected < 0:
                head = client.buffer.find(b"\r\n\r\n")
                if head >= 0:
                    at = client.buffer.lower().find(b"\r\ncontent-length:", 0, head)
                    length = (
                        int(client.buffer[at + 17 : client.buffer.find(b"\r\n", at + 2)]) if at >= 0 else 0
                    )
                    client.expected = head + 4 + length
            if 0 <= client.expected <= len(client.buffer):
                closing = not part or b"connection: close" in client.buffer[:400].lower()
                finish(client, client.buffer[9:12].decode(), closed=closing)
            elif not part:
                finish(client, "closed early", closed=True)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "statuses": statuses, "latencies": latencies}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)
