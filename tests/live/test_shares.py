"""Clients that do not read their answers hold no more than their share of the threads."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.clocked import Clocked, ask, poll_path
from tests.support.live_api import Rows, make_rows
from tests.support.server import LiveServer, Template

pytestmark = [pytest.mark.live, pytest.mark.any_database("how requests share the threads")]

THREADS = 4
# Longer than the test takes on the slowest machine: a client that stalls keeps its thread until then.
STALL_SECONDS = 300
PATIENCE_SECONDS = 60
# The largest file there is, often enough to fill every buffer on the way.
FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture(scope="module")
def broker(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One process of four threads."""
    environment = {
        "BROKKR_WEB_WORKERS": "1",
        "BROKKR_WEB_THREADS": str(THREADS),
        # Then the test knows that no thread comes back.
        "BROKKR_QUEUE_PATIENCE_SECONDS": "5",
        "GUNICORN_CMD_ARGS": f"--timeout {STALL_SECONDS}",
    }
    with database_template.broker(tmp_path_factory.mktemp("shares"), environment) as server:
        yield server


@pytest.fixture(scope="module")
def rows(broker: LiveServer) -> Rows:
    return make_rows(broker, "shares")


def others(broker: LiveServer, rows: Rows) -> list[Clocked]:
    """Calls of other kinds."""
    return [
        ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key),
        ask(broker, "POST", f"/api/v1/agents/{rows.agent_id}/heartbeat", key=rows.agent_key),
        ask(broker, "GET", f"/api/v1/stacks/{rows.stack_id}", key=rows.generator_key),
    ]


def test_clients_that_do_not_read_their_answers_leave_threads_to_others(broker: LiveServer, rows: Rows):
    asked = f"GET {FILE} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(PATIENCE_SECONDS)
            client.connect(("127.0.0.1", broker.port))
            client.sendall(asked)
        deadline = time.monotonic() + PATIENCE_SECONDS
        # Then they have their share, and no thread comes back.
        while ask(broker, "GET", FILE).status != 503:
            assert time.monotonic() < deadline
        answers = others(broker, rows)

    assert [answer.status for answer in answers] == [200, 204, 200]
