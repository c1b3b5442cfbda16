"""A web process notes that agents can reach it, by a request of its own."""

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from server import hearing
from server.hearing import Hearing
from server.request_queue import RequestQueue
from tests.support.waits import wait_for

pytestmark = pytest.mark.no_database


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What was noted: for each time whether something had been missed."""
    noted: list[bool] = []

    def note(*, now: None, has_missed: bool) -> None:
        noted.append(has_missed)

    monkeypatch.setattr("agents.services.hearing.note_hearing", note)
    monkeypatch.setattr("core.clock.now", lambda: None)
    monkeypatch.setattr(hearing, "close_old_connections", lambda: None)
    return noted


@pytest.fixture
def ours() -> Hearing:
    return Hearing()


def ask(ours: Hearing, now: float, *listeners: object) -> bool:
    """Let our own request be answered if one is due. Returns whether one was."""
    request = ours.request(now, list(listeners))
    if request is not None:
        ours.note(now + 8)
    return request is not None


def test_it_asks_every_three_seconds(ours, notes):
    assert [ask(ours, now) for now in (0.0, 1.0, 2.9, 3.0, 6.1)] == [True, False, False, True, True]
    assert notes == [False, False, False]


def test_it_does_not_ask_again_before_it_has_its_answer(ours):
    assert ours.request(0.0, []) is not None
    assert ours.request(5.0, []) is None


def test_a_refused_heartbeat_is_told_once(ours, notes):
    ours.miss()
    ask(ours, 0.0)
    ask(ours, 3.0)
    assert notes == [True, False]


def test_a_refused_request_of_our_own_is_told_with_the_next(ours, notes):
    assert ours.request(0.0, []) is not None
    ours.give_up()
    ask(ours, 3.0)
    assert notes == [True]


def test_a_process_that_was_stopped_tells_it(ours, notes):
    ask(ours, 0.0)
    ask(ours, 60.0)
    assert notes == [False, True]


def test_what_the_database_did_not_take_is_told_later(ours, notes, monkeypatch):
    def fail(*, now: object, has_missed: bool) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr("agents.services.hearing.note_hearing", fail)
        ask(ours, 0.0)
    ask(ours, 3.0)
    assert notes == [True]


def test_it_waits_before_everything_that_is_not_vital(ours):
    queue = RequestQueue(threads=4, patience_seconds=60)
    request = ours.request(time.monotonic(), [])
    assert request is not None
    assert request.is_vital
    assert queue.put(request)
    assert queue.take() is request


@pytest.fixture
def full() -> Iterator[object]:
    """A listener in whose queue nobody else fits."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        clients = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            clients.append(client)
        listener = SimpleNamespace(sock=server)
        # The kernel may take a moment to put them there.
        wait_for(lambda: hearing._is_full(listener))
        yield listener
        for client in clients:
            client.close()


def test_a_full_listen_queue_is_told(ours, notes, full):
    ask(ours, 0.0, full)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ask(ours, 3.0, SimpleNamespace(sock=server))
    assert notes == [True, False]
