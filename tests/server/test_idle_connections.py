"""What becomes of a connection on which nothing has come for too long."""

import socket
import time
from collections.abc import Iterator
from unittest.mock import MagicMock

import pytest
from gunicorn.config import Config

from server.connections import Arrival, Connection
from server.web_worker import WebWorker

pytestmark = pytest.mark.no_database


class Idle:
    """A worker that watches one connection, and the client's end of it. The time for a request is over."""

    def __init__(self) -> None:
        ours, self.client = socket.socketpair()
        self.connection = Connection(Config(), ours, ("", 0), ("", 0), idle_seconds=0)
        self.worker = MagicMock(_watched={self.connection}, _leaving=set(), _large=set())
        self.worker._room.take_out.return_value = self.worker._queue.give_up.return_value = []

    def look(self) -> None:
        WebWorker._end_what_takes_too_long(self.worker, time.monotonic())


@pytest.fixture
def idle() -> Iterator[Idle]:
    made = Idle()
    yield made
    made.connection.close()
    made.client.close()


def test_it_is_dropped(idle):
    idle.look()
    idle.worker._drop.assert_called_once_with(idle.connection)


@pytest.mark.parametrize(
    ("sent", "arrival"), [(b"GET / HTTP/1.1\r\n\r\n", Arrival.WHOLE), (b"GET", Arrival.PART)]
)
def test_a_request_that_has_just_come_is_not_lost(idle, sent, arrival):
    idle.client.sendall(sent)
    idle.look()
    idle.worker._go_on.assert_called_once_with(idle.connection, arrival)
    idle.worker._drop.assert_not_called()
