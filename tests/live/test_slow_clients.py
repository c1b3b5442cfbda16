import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import cast

import httpx
import pytest

from tests.support.server import NO_TLS, LiveServer, Template, http_get

pytestmark = [pytest.mark.live, pytest.mark.any_database("how sockets share the threads")]

THREADS = 2
# How long a client may stall, by gunicorn's `timeout`. A process that takes longer to start is killed.
PATIENCE_SECONDS = 6
# Longer than an answer takes on the slowest machine, shorter than this many clients make others wait if each stalls a
# thread for as long as it may.
SOON_SECONDS = 20
MANY = 16 * THREADS


@pytest.fixture(scope="module")
def small_broker(
    database_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A broker that can answer two requests at a time."""
    environment = {
        "BROKKR_WEB_WORKERS": "1",
        "BROKKR_WEB_THREADS": str(THREADS),
        "GUNICORN_CMD_ARGS": f"--timeout {PATIENCE_SECONDS}",
    }
    with database_template.broker(tmp_path_factory.mktemp("small"), environment) as server:
        yield server


def _connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def _is_answered(server: LiveServer, seconds: float) -> bool:
    return http_get(f"{server.url}/healthz", timeout=seconds).status_code == 200


def test_clients_that_say_nothing_hold_up_nobody(small_broker: LiveServer):
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(_connect(small_broker))

        assert _is_answered(small_broker, SOON_SECONDS)


def test_with_all_connections_in_use_a_probe_finds_a_place(database_template: Template, tmp_path: Path):
    # For longer than this test may take.
    environment = {"GUNICORN_CMD_ARGS": "--worker-connections 20 --keep-alive 600", "BROKKR_WEB_WORKERS": "1"}
    with database_template.broker(tmp_path, environment) as server, ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(_connect(server))

        assert _is_answered(server, 60)


def test_clients_that_leave_a_finished_connection_open_hold_up_nobody(small_broker: LiveServer):
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(_connect(small_broker))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        assert _is_answered(small_broker, SOON_SECONDS)


@pytest.mark.parametrize(
    "half",
    [
        b"GET /healthz HTTP/1.1\r\nHo",
        b"POST /api/v1/generators HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["in its head", "in its body"],
)
def test_a_request_that_stalls_gives_its_thread_back(small_broker: LiveServer, half: bytes):
    with ExitStack() as stack:
        for _ in range(THREADS):
            client = stack.enter_context(_connect(small_broker))
            client.sendall(half.replace(b"{key}", small_broker.admin_key.encode()))

        assert _is_answered(small_broker, 5 * PATIENCE_SECONDS)


def test_an_answer_that_is_not_read_gives_its_thread_back(small_broker: LiveServer):
    # The largest file there is, often enough to fill every buffer on the way.
    file = b"/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    asked = b"GET " + file + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(THREADS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(30)
            client.connect(("127.0.0.1", small_broker.port))
            client.sendall(asked * 20)

        assert _is_answered(small_broker, 5 * PATIENCE_SECONDS)


def test_requests_that_were_sent_together_are_answered_in_their_order(small_broker: LiveServer):
    ids = [f"in-a-row-{number}" for number in range(10)]
    heads = [f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: {sent}\r\n" for sent in ids]
    heads[-1] += "Connection: close\r\n"
    received = ""
    with _connect(small_broker) as client:
        client.sendall("".join(head + "\r\n" for head in heads).encode())
        while chunk := client.recv(65536):
            received += chunk.decode()

    assert re.findall(r"(?i)x-request-id: (\S+)", received) == ids


def test_more_clients_than_threads_that_ask_again_and_again_are_all_answered(small_broker: LiveServer):
    def ask(client_number: int) -> list[str]:
        with httpx.Client(base_url=small_broker.url, timeout=60, verify=NO_TLS) as client:
            ids = [f"client-{client_number}-{number}" for number in range(20)]
            return [
                client.get("/healthz", headers={"X-Request-Id": sent}).headers["x-request-id"] for sent in ids
            ]

    with ThreadPoolExecutor(8 * THREADS) as pool:
        answered = list(pool.map(ask, range(8 * THREADS)))

    assert answered == [[f"client-{one}-{number}" for number in range(20)] for one in range(8 * THREADS)]


def test_clients_that_never_pause_have_equal_shares(small_broker: LiveServer):
    # More of them than threads.
    clients = 8 * THREADS
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answered: Counter[int] = Counter()
    with ExitStack() as stack, DefaultSelector() as selector:
        for number in range(clients):
            client = stack.enter_context(_connect(small_broker))
            selector.register(client, EVENT_READ, number)
            client.sendall(asked)
        while answered.total() < 100 * clients:
            for key, _ in selector.select():
                client = cast(socket.socket, key.fileobj)
                assert client.recv(65536)
                answered[key.data] += 1
                client.sendall(asked)

    assert len(answered) == clients
    assert min(answered.values()) > 25


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nX-Drip: ",
        b"POST /api/v1/generators HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n",
    ],
    ids=["a head", "a body"],
)
def test_clients_that_send_drop_by_drop_hold_no_thread_and_are_ended(small_broker: LiveServer, head: bytes):
    with ExitStack() as stack, DefaultSelector() as selector:
        for _ in range(24):
            client = stack.enter_context(_connect(small_broker))
            client.sendall(head)
            selector.register(client, EVENT_READ)
        others = [http_get(f"{small_broker.url}/metrics", timeout=60).status_code for _ in range(3)]
        answers = []
        while selector.get_map():
            for key, _ in selector.select(timeout=1):
                client = cast(socket.socket, key.fileobj)
                answers.append(client.recv(65536)[:12])
                selector.unregister(client)
            for key in list(selector.get_map().values()):
                # The broker may have ended it just now.
                with suppress(OSError):
                    cast(socket.socket, key.fileobj).sendall(b"a")

    assert others == [200, 200, 200]
    assert set(answers) == {b"HTTP/1.1 408"}
