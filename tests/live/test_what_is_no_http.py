import json
import socket

import pytest

from tests.support.server import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("bytes that reach no view")]


def _exchange(server: LiveServer, sent: bytes) -> tuple[int, dict[str, str]]:
    """The status and the body of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {key}\r\n\r\n", 400),
        (b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {key}\r\n\r\n", 400),
        (b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n {key}\r\n\r\n", 400),
        (b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\n{key}: Bearer x\x00\r\n\r\n", 400),
        (b"{key} /api/v1/agents HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /api/v1/agents {key}\r\nHost: x\r\n\r\n", 400),
        (b"GET /api/v1/agents?" + b"x" * 5000 + b"{key} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /api/v1/agents?{key}" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"{key}\r\n\r\n", 431),
        (b"POST /api/v1/agents HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {key}\r\n\r\n", 501),
    ],
)
def test_what_is_no_http_is_refused_in_the_api_s_form_and_repeated_nowhere(
    broker: LiveServer, lines: bytes, status: int
):
    key = "brokkr_BRnearly0_rightkey"

    answered, body = _exchange(broker, lines.replace(b"{key}", key.encode()))

    assert (answered, body["code"]) == (status, "bad_request")
    assert body["error"] == body["message"]
    assert "rightkey" not in json.dumps(body).lower()
    assert "rightkey" not in broker.log.read_text().lower()
