"""What is refused without a thread: as a page or in the shape of the API, with another moment to come back for each."""

import socket
from http.client import HTTPResponse
from unittest.mock import MagicMock

import orjson
import pytest
from django.template import loader
from gunicorn.config import Config

from server.connections import Arrival, Connection
from server.refusals import asks_for_page, refuse_for_now
from server.web_worker import WebWorker

BROWSER = b"Accept: text/html,application/xhtml+xml,*/*;q=0.8"


def answer_to(**how: bool) -> tuple[HTTPResponse, bytes]:
    client, ours = socket.socketpair()
    with client, ours:
        refuse_for_now(ours, **how)
        answer = HTTPResponse(client)
        answer.begin()
        return answer, answer.read()


def refusal(*, is_overload: bool, stays: bool) -> tuple[HTTPResponse, dict[str, str]]:
    answer, body = answer_to(is_overload=is_overload, stays=stays)
    return answer, orjson.loads(body)


def test_who_comes_during_an_overload_is_told_so_in_the_shape_of_every_refusal():
    answer, body = refusal(is_overload=True, stays=True)

    assert (answer.status, body["code"], body["error"]) == (503, "overloaded", body["message"])
    assert (answer.headers["content-type"], answer.will_close) == ("application/json", False)


def test_not_all_come_back_at_the_same_moment():
    waits = {int(refusal(is_overload=True, stays=True)[0].headers["retry-after"]) for _ in range(200)}

    assert waits == {1, 2, 3, 4, 5}


def test_who_has_waited_for_too_long_is_told_busy_and_his_connection_may_end():
    answer, body = refusal(is_overload=False, stays=False)

    assert (answer.status, body["code"], answer.headers["retry-after"]) == (503, "busy", "1")
    assert answer.will_close


@pytest.mark.parametrize("is_overload", [True, False])
def test_who_opens_a_page_is_shown_one_that_says_when_to_come_back(is_overload):
    answer, body = answer_to(is_overload=is_overload, stays=True, is_page=True)

    assert (answer.status, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["retry-after"]
    assert b"<h1>The broker cannot answer at present</h1>" in body
    assert b"core/plain" in body


def test_the_page_is_made_once(monkeypatch):
    first = answer_to(is_overload=True, stays=True, is_page=True)[1]
    monkeypatch.setattr(loader, "get_template", None)

    assert answer_to(is_overload=True, stays=True, is_page=True)[1] == first


@pytest.mark.parametrize(
    ("line", "accept", "is_page"),
    [
        (b"GET /admin/stacks/stack/?q=a HTTP/1.1", BROWSER, True),
        (b"GET /admin/ HTTP/1.1", b"accept: text/html", True),
        (b"GET /admin/ HTTP/1.1", b"Accept: */*", False),
        (b"GET /admin/ HTTP/1.1", b"X-Note: text/html", False),
        (b"POST /admin/ HTTP/1.1", BROWSER, False),
        (b"GET /api/v1/agents HTTP/1.1", BROWSER, False),
    ],
)
def test_only_a_browser_that_opens_a_page_of_the_admin_asks_for_one(line, accept, is_page):
    head = line + b"\r\nHost: broker\r\n" + accept + b"\r\n\r\n"

    assert asks_for_page(head) == is_page


@pytest.mark.parametrize(
    ("path", "kind"), [("/admin/", "text/html; charset=utf-8"), ("/api/v1/agents", "application/json")]
)
def test_the_main_thread_looks_at_what_was_asked_for(path, kind):
    client, ours = socket.socketpair()
    worker = MagicMock()
    with client, ours:
        conn = Connection(Config(), ours, ("", 0), ("", 0), idle_seconds=5)
        client.sendall(f"GET {path} HTTP/1.1\r\n".encode() + BROWSER + b"\r\n\r\n")
        assert conn.receive() is Arrival.WHOLE
        WebWorker._refuse_for_now(worker, conn.request(), is_overload=True)
        answer = HTTPResponse(client)
        answer.begin()

    assert (answer.status, answer.headers["content-type"]) == (503, kind)
    worker._keep.assert_called_once_with(conn)
