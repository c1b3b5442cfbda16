"""Whether agents can reach this web process. It sends itself a request, which waits in the queue like a heartbeat."""

import logging
import socket
import struct
from contextlib import suppress
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections

from core import clock, deadlines
from server.request_queue import Waiting

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 3.0
# A process that comes here later than this was stopped, or was too busy.
_LATE_SECONDS = 10.0
# Of a listening socket, Linux puts there how many connections wait to be accepted, and how many may.
_TCP_INFO_BYTES, _WAITING_AND_MOST = 32, 24


class Hearing:
    """Used by the main thread, but for `note`, which any thread calls."""

    def __init__(self) -> None:
        self._has_missed = False
        self._asked: float | None = None
        self._is_asking = False

    def request(self, now: float, listeners: list[Any]) -> Waiting | None:
        """The request of our own to put into the queue, when it is time for one. Its connection is this object."""
        if self._asked is not None and now - self._asked < _EVERY_SECONDS:
            return None
        is_late = self._asked is not None and now - self._asked > _LATE_SECONDS
        if is_late or any(map(_is_full, listeners)):
            self.miss()
        if self._is_asking:
            return None
        self._asked, self._is_asking = now, True
        return Waiting(self, now, ("hearing",), is_vital=True)

    def miss(self) -> None:
        """Note that an agent may have tried in vain."""
        self._has_missed = True

    def give_up(self) -> None:
        """Note that our own request was refused."""
        self._is_asking = False
        self.miss()

    def note(self, deadline: float) -> None:
        """Answer our own request, in a thread: tell the database, by the deadline, that it has come so far."""
        # gunicorn's master, which reads this file too, has no models.
        from agents.services.hearing import note_hearing  # noqa: PLC0415

        has_missed, self._has_missed = self._has_missed, False
        deadlines.begin(deadline)
        try:
            close_old_connections()
            note_hearing(now=clock.now(), has_missed=has_missed)
        except DatabaseError as error:
            logger.debug("cannot note that agents are heard: %s", error)
            self.miss()
        finally:
            close_old_connections()
            deadlines.end()
            self._is_asking = False


def _is_full(listener: Any) -> bool:
    """Whether more connections want to be accepted than can wait, so that the kernel lets clients try in vain."""
    with suppress(OSError, struct.error):
        info = listener.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        waiting, most = struct.unpack_from("II", info, _WAITING_AND_MOST)
        return bool(waiting >= most > 0)
    return False
