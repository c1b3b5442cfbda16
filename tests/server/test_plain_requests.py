"""What is read and answered without gunicorn is read and answered as gunicorn would."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lane.replies import NO_CONTENT, NOTHING, Reply
from server.connections import Arrival, Connection
from server.plain_requests import PlainRequests, plain_environ, send
from server.responses import WebResponse

pytestmark = pytest.mark.no_database

AGENT = "/api/v1/agents/0198c0de-0000-7000-8000-000000000001"
STACK = "/api/v1/stacks/0198c0de-0000-7000-8000-000000000002"
METHODS = st.sampled_from(["GET", "POST", "GET", "POST", "GET", "POST", "get", "HEAD"])
PATHS = st.sampled_from(
    [
        *[f"{AGENT}/heartbeat", f"{AGENT}/target-state?mode=full", f"{AGENT}/work-orders/pending"] * 4,
        *[f"{STACK}/deployment-objects", f"{STACK}/deployment-objects?x=1", f"{STACK}/deployment-objects/"]
        * 2,
        *[f"{AGENT}/sync?", f"{AGENT}/%73ync", f"{AGENT}//sync", f"{AGENT}/../sync", f"{AGENT}/sync#a"],
        *["/", f"http://broker{AGENT}/sync"],
    ]
)
LINES = st.tuples(METHODS, PATHS, st.sampled_from(["HTTP/1.1"] * 4 + ["HTTP/1.0"])).map(" ".join)
NAMES = st.sampled_from(
    [
        *["Host", "host", "Authorization", "If-None-Match", "If-None-Match", "X-Request-Id", "Traceparent"],
        *["User-Agent", "Accept", "Content-Type", "Content-Length", "X-Forwarded-For", "X-Forwarded-Proto"],
        *["Connection", "Expect", "TE", "Upgrade", "Transfer-Encoding", "Script_Name", "X-1", "1", ""],
        *["X-Forwarded-Ssl", "X-Forwarded-Protocol"],
    ]
)
VALUES = st.sampled_from(
    [
        *["x", "Bearer a_b_c", '"tag", W/"tag"', "broker:3000", "203.0.113.9, 198.51.100.1", "text/x; q=1"],
        *["0", "2", "+2", "²", "", " x", "x ", "a:b: c", "http", "https", "on", "close", "keep-alive"],
        *["Keep-Alive", "keep-alive, TE", "trailers", "chunked", "100-continue", "h2c", "\t", "x\ty", "é"],
    ]
)
USUAL = st.lists(
    st.sampled_from(
        [
            *[
                ("Host", ": ", "broker"),
                ("Authorization", ": ", "Bearer a_b_c"),
                ("If-None-Match", ": ", '"x"'),
            ],
            *[("User-Agent", ": ", "agent/1 (linux)"), ("accept", ": ", "*/*"), ("TE-X", ": ", "a:b: c")],
        ]
    ),
    unique=True,
)
ODD = st.lists(st.tuples(NAMES, st.sampled_from([": ", ": ", ": ", ":", " : "]), VALUES), max_size=2)
BODIES = st.sampled_from(["", "", "{}"])


class Ends:
    """A connection of the server, and the client's end of it."""

    def __init__(self) -> None:
        ours, self.client = socket.socketpair()
        self.config = Config()
        self.connection = Connection(
            self.config, ours, ("203.0.113.5", 4000), ("10.0.0.1", 3000), idle_seconds=5
        )

    def receive(self, sent: bytes) -> Arrival:
        self.client.sendall(sent)
        return self.connection.receive()

    def sent(self) -> bytes:
        """What the server has sent."""
        return self.client.recv(65536)

    def close(self) -> None:
        self.connection.close()
        self.client.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def raw(line: str, fields: list[tuple[str, str, str]], body: str = "") -> bytes:
    lines = [line, *["".join(field) for field in fields]]
    return ("\r\n".join([*lines, "", ""]) + body).encode("latin-1", "replace")


def by_gunicorn(ends: Ends) -> dict[str, Any]:
    """The environ of the same request by gunicorn's parser, which must accept it."""
    ends.connection.begin()
    request = next(ends.connection.parser)
    _, environ = wsgi.create(
        request, ends.connection.sock, ends.connection.client, ends.connection.server, ends.config
    )
    return dict(environ)


def of_client(environ: dict[str, Any]) -> dict[str, Any]:
    """What the client's fields became."""
    return {name: text for name, text in environ.items() if name.startswith(("HTTP_", "CONTENT_"))}


@examples(max_examples=1000)
@given(line=LINES, usual=USUAL, odd=ODD, body=BODIES)
def test_a_plain_request_is_read_as_gunicorn_reads_it(line, usual, odd, body):
    fields = [*usual, *odd]
    if body:
        fields = [*fields, ("Content-Length", ": ", str(len(body)))]
    ends = Ends()
    try:
        if ends.receive(raw(line, fields, body)) is not Arrival.WHOLE:
            return
        plain = plain_environ(ends.connection)
        if plain is None:
            return
        whole = by_gunicorn(ends)
        assert plain.pop("wsgi.input").read() == whole["wsgi.input"].read()
        assert plain.items() <= whole.items()
        assert of_client(plain) == of_client(whole)
    finally:
        ends.close()


PLAIN = [
    raw(f"GET {AGENT}/target-state HTTP/1.1", [("host", ": ", "b"), ("if-none-match", ": ", '"x"')]),
    raw(f"GET {AGENT}/target-state?mode=full HTTP/1.1", [("Host", ": ", "b"), ("Accept", ": ", "*/*")]),
    raw(f"POST {AGENT}/heartbeat HTTP/1.1", [("Host", ": ", "b"), ("Content-Length", ": ", "2")], "{}"),
    raw(f"POST {AGENT}/heartbeat HTTP/1.1", [("Host", ": ", "b"), ("Connection", ": ", "Keep-Alive")]),
    raw(f"GET {AGENT}/target-state HTTP/1.1", [("Host", ": ", "b"), ("X-Forwarded-Proto", ": ", "https")]),
    raw(
        f"POST {STACK}/deployment-objects HTTP/1.1",
        [("Host", ": ", "b"), ("Content-Length", ": ", "2")],
        "{}",
    ),
]


@pytest.mark.parametrize("sent", PLAIN)
def test_what_agents_publishers_and_proxies_send_is_plain(ends, sent):
    assert ends.receive(sent) is Arrival.WHOLE
    assert plain_environ(ends.connection) is not None


@pytest.mark.parametrize(
    "change",
    [
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"/target-state", b"/target%2Dstate"),
        (b"GET ", b"GET http://b"),
        (b"GET", b"PUT"),
        (b"host: b\r\n", b""),
        (b"host: b\r\n", b"host: b\r\nhost: c\r\n"),
        (b"host: b\r\n", b"host: b\r\nconnection: close\r\n"),
        (b"host: b\r\n", b"host: b\r\nx_y: 1\r\n"),
        (b"host: b\r\n", b"host: b\r\nupgrade: h2c\r\n"),
        (b"host: b\r\n", b"host: b\r\nx: 1\r\n 2\r\n"),
        (b"host: b\r\n", b"host: b\r\nx: \xe9\r\n"),
        (b"host: b\r\n", b"host: b\r\ncontent-length: +0\r\n"),
        (b"host: b\r\n", b"host: b\r\nexpect: 100-continue\r\n"),
        (b"host: b\r\n", b"host: b\r\ntransfer-encoding: chunked\r\n"),
        (b"host: b\r\n", b"host: b\r\nx-forwarded-ssl: on\r\n"),
        (b"host: b\r\n", b"host: b\r\nx: " + b"x" * 4000 + b"\r\n"),
    ],
)
def test_what_is_unusual_is_left_to_gunicorn(ends, change):
    ends.receive(PLAIN[0].replace(*change))
    assert plain_environ(ends.connection) is None


def test_a_unix_socket_whose_clients_have_no_address_is_left_to_gunicorn(ends):
    ends.receive(PLAIN[0])
    ends.connection.client = ""
    assert plain_environ(ends.connection) is None


@pytest.mark.parametrize(
    "reply",
    [NOTHING, NO_CONTENT, Reply(304, extra=(("ETag", '"x"'),)), Reply(200, b"[1]"), Reply(503, b'{"a":"b"}')],
)
def test_the_bytes_of_an_answer_are_gunicorn_s(ends, reply, monkeypatch):
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "today")
    monkeypatch.setattr("server.plain_requests._date", lambda _second: "today")
    ends.receive(PLAIN[0])
    ends.connection.begin()
    response = WebResponse(next(ends.connection.parser), ends.connection.sock, ends.config)
    response.start_response(reply.line, reply.headers("an-id"))
    if reply.body:
        response.write(reply.body)
    response.close()

    theirs = ends.sent()
    send(ends.connection.sock, reply, "an-id")
    assert ends.sent() == theirs


def test_a_long_answer_arrives_whole_however_the_kernel_takes_it(ends):
    body = bytes(range(256)) * 20_000
    ends.connection.sock.setblocking(True)
    ends.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with ThreadPoolExecutor(1) as pool:
        receiving = pool.submit(lambda: b"".join(iter(lambda: ends.client.recv(65536), b"")))
        send(ends.connection.sock, Reply(200, body), "an-id")
        ends.connection.sock.shutdown(socket.SHUT_WR)
        assert receiving.result().partition(b"\r\n\r\n")[2] == body


@pytest.mark.parametrize("setting", [{"proxy_protocol": "auto"}, {"keepalive": 0}, {"certfile": "x"}])
def test_where_gunicorn_is_set_to_more_it_answers_everything(ends, setting):
    for name, value in setting.items():
        ends.config.set(name, value)
    ends.receive(PLAIN[0])
    assert PlainRequests(ends.config).answer(ends.connection) is None
    assert ends.connection.received == PLAIN[0]


def test_only_what_the_lane_has_declined_is_called_declined(ends):
    requests = PlainRequests(ends.config)
    ends.receive(PLAIN[0].replace(b"/target-state", b"/nothing"))
    assert requests.answer(ends.connection) is None
    assert ends.connection.is_declined
    ends.connection.begin()
    next(ends.connection.parser)
    ends.connection.end()
    ends.receive(PLAIN[0].replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert not ends.connection.is_declined
    assert requests.answer(ends.connection) is None
    assert not ends.connection.is_declined
