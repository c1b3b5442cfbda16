"""One request to somebody else's server: where it may go, what it carries, how long it may take."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import certificate
from tests.support.receiver import (
    Receiver,
    Reply,
    answer,
    close_connection,
    running_receiver,
    send_raw,
)
from webhooks.transport import Message, Outcome, Policy, Refused, check_url, send, tls_context

LOOPBACK = Policy(schemes={"http", "https"}, ports=None, networks=[ip_network("127.0.0.1/32")])
NOBODY = Policy(schemes={"http", "https"}, ports=None)
HOST = "hooks.example.com"


def post(url: str, policy: Policy = LOOPBACK, timeout_seconds: float = 20, body: bytes = b"{}") -> Outcome:
    message = Message(
        url=url, headers={"Content-Type": "application/json"}, body=body, timeout_seconds=timeout_seconds
    )
    return send(message, policy=policy, now=datetime.now(UTC))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A name server: the answers to the questions for a name, one after another, the last for ever."""
    answers: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host not in answers:
            assert host.replace(".", "").isdigit() or ":" in host, f"{host} was asked of the network"
            return real(host, port, *arguments, **options)
        found = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [info for address in found for info in real(address, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


def test_the_request_is_a_post_with_its_headers_and_body(receiver):
    outcome = post(receiver.url("/a%2Fb/ü?x=1&y=%20#part"), body=b'{"a":1}')
    assert outcome == Outcome(status_code=204)
    (request,) = receiver.received
    assert request.path == "/a%2Fb/%C3%BC?x=1&y=%20"
    assert request.body == b'{"a":1}'
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["User-Agent"] == "brokkr"
    assert set(request.headers) == {"Host", "User-Agent", "Content-Type", "Content-Length"}


@pytest.mark.parametrize("status", [200, 299, 300, 404, 410, 500])
def test_a_status_is_what_the_endpoint_answers(receiver, status):
    receiver.usual = answer(status, b"why")
    outcome = post(receiver.url())
    assert outcome.status_code == status
    assert outcome.success == (status < 300)
    assert outcome.body == ("" if status < 300 else "why")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver, status):
    receiver.usual = answer(status, Location=receiver.url("/elsewhere"))
    assert post(receiver.url()).status_code == status
    assert [request.path for request in receiver.received] == ["/hook"]


def test_of_a_long_answer_only_the_beginning_is_read(receiver):
    receiver.usual = send_raw(b"HTTP/1.1 500 No\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000)
    outcome = post(receiver.url())
    assert (outcome.status_code, outcome.body) == (500, "x" * 4096)


def test_text_that_a_database_cannot_keep_is_replaced(receiver):
    receiver.usual = answer(500, b"a\0b\xff")
    assert post(receiver.url()).body == "a\ufffdb\ufffd"


def test_what_it_asks_to_wait_is_told(receiver):
    receiver.usual = answer(429, Retry_After="90")
    assert post(receiver.url()).retry_after == timedelta(seconds=90)


BREAKS_OFF: list[tuple[Reply, int | None]] = [
    (close_connection, None),
    (send_raw(b"HTTP/1.1 200"), None),
    (send_raw(b"not HTTP at all\r\n\r\n"), None),
    (send_raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), None),
    # The status is there; that the body breaks off changes nothing.
    (send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), 200),
    (send_raw(b"HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nabc"), 503),
]


@pytest.mark.parametrize(("reply", "status"), BREAKS_OFF)
def test_an_answer_that_breaks_off_is_an_outcome(receiver, reply, status):
    receiver.usual = reply
    outcome = post(receiver.url())
    assert outcome.status_code == status
    assert bool(outcome.error) == (status is None)


def test_nobody_listening_is_an_outcome():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = post(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert "127.0.0.1" in str(outcome.error)
    assert not outcome.success


@pytest.fixture
def dripping(receiver: Receiver) -> Iterator[Receiver]:
    """An endpoint that says something every moment and never comes to an end."""
    enough = threading.Event()

    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 500 No\r\nX: ")
        while not enough.wait(0.02):
            handler.wfile.write(b"x")

    receiver.usual = drip
    yield receiver
    enough.set()


def test_a_deadline_covers_the_whole_request_however_slowly_the_answer_comes(dripping):
    outcome = post(dripping.url(), timeout_seconds=0.2)
    assert outcome == Outcome(error="no answer within 0.2 s")


# --- Where it may go ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104  # nothing is bound
    ],
)
def test_an_address_of_this_machine_is_refused_however_it_is_spelled(receiver, host):
    outcome = post(receiver.url(host=host), policy=NOBODY)
    assert "is not public" in str(outcome.error)
    assert "BROKKR_WEBHOOK_ALLOWED_NETWORKS" in str(outcome.error)
    assert receiver.received == []


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "100.64.0.1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]
)
def test_a_name_that_leads_inside_is_refused(names, address):
    names[HOST] = [[address]]
    assert f"{HOST} is not public" in str(post(f"http://{HOST}/", policy=NOBODY).error)


def test_the_name_is_looked_up_once_and_the_checked_address_is_the_one_connected_to(receiver, names):
    names[HOST] = [["127.0.0.1"], ["127.0.0.2"]]
    assert post(receiver.url(host=HOST)).success
    (request,) = receiver.received
    assert request.headers["Host"] == f"{HOST}:{receiver.port}"
    assert names[HOST] == [["127.0.0.2"]]  # the second answer has not been asked for


def test_a_name_that_leads_elsewhere_the_next_time_is_checked_the_next_time(receiver, names):
    names[HOST] = [["127.0.0.1"], ["127.0.0.2"]]
    assert [post(receiver.url(host=HOST)).success for _ in range(2)] == [True, False]
    assert len(receiver.received) == 1


def test_of_several_addresses_only_those_allowed_are_tried_one_after_another(receiver, names, monkeypatch):
    tried = []
    real = socket.create_connection

    def connect(address: Any, **options: Any) -> Any:
        tried.append(address[0])
        if address[0] == "198.41.0.4":
            raise OSError("no route")
        return real(address, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    names[HOST] = [["10.0.0.1", "198.41.0.4", "127.0.0.1", "127.0.0.2"]]
    assert post(receiver.url(host=HOST)).success
    assert tried == ["198.41.0.4", "127.0.0.1"]


def test_a_name_without_addresses_is_an_outcome(names):
    names[HOST] = [[]]
    assert post(f"http://{HOST}/").error == f"the name {HOST} cannot be resolved"


def test_a_port_that_is_not_allowed_is_refused_before_anything_is_looked_up(names):
    policy = Policy(schemes={"http"}, ports={80, 443})
    assert "port 8000 is not allowed; BROKKR_WEBHOOK_ALLOWED_PORTS" in str(
        post(f"http://{HOST}:8000/", policy=policy).error
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://127.0.0.1:443/", "http://127.0.0.1:443/"])
def test_the_usual_ports_are_known(url):
    policy = Policy(schemes={"http", "https"}, ports={80, 443})
    assert "is not public" in str(post(url, policy=policy).error)


def test_a_scheme_that_is_not_allowed_is_refused(receiver):
    outcome = post(receiver.url(), policy=Policy(schemes={"https"}, ports=None, networks=LOOPBACK.networks))
    assert outcome.error == "the URL must begin with https://"
    assert receiver.received == []


def test_proxies_of_the_environment_are_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.2:1")
    assert post(receiver.url()).success


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http://:80/",
        "http://host:99999/",
        "http://host:port/",
        "http://[::1/",
        "http://a b/",
        "http://host/\r\nX: y",
        "http://host/\0",
        "http://user@host/",
        "http://user:password@host/",
        f"http://{'a' * 64}.example.com/",
        "http://a..b/",
        "http://[::1%25ä]/",
        "ftp://host/",
        "//host/",
        "host",
    ],
)
def test_a_url_that_no_request_can_be_made_from_is_refused(url):
    with pytest.raises(Refused):
        check_url(url, schemes={"http", "https"})
    assert post(url).error


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def tls_receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """An https endpoint with a certificate for HOST, which the broker trusts."""
    server = certificate(tmp_path, HOST)
    client = ssl.create_default_context(cafile=tmp_path / "server.pem")
    monkeypatch.setattr("webhooks.transport.tls_context", lambda: client)
    with running_receiver(server) as running:
        yield running


def test_over_tls_the_certificate_is_that_of_the_name_although_an_address_is_connected_to(
    tls_receiver, names
):
    names[HOST] = [["127.0.0.1"]]
    assert post(tls_receiver.url(host=HOST)).success
    assert tls_receiver.server_names == [HOST]
    assert tls_receiver.received[0].headers["Host"] == f"{HOST}:{tls_receiver.port}"


def test_a_certificate_of_another_name_is_refused(tls_receiver, names):
    names["other.example.com"] = [["127.0.0.1"]]
    outcome = post(tls_receiver.url(host="other.example.com"))
    assert "CERTIFICATE_VERIFY_FAILED" in str(outcome.error)
    assert tls_receiver.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_receiver, names, monkeypatch):
    monkeypatch.setattr("webhooks.transport.tls_context", tls_context)
    names[HOST] = [["127.0.0.1"]]
    assert "CERTIFICATE_VERIFY_FAILED" in str(post(tls_receiver.url(host=HOST)).error)
    assert tls_receiver.received == []


def test_an_endpoint_that_is_silent_where_tls_is_expected_is_an_outcome():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = post(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout_seconds=0.2)
    assert outcome.error == "no answer within 0.2 s"
