"""gunicorn's gthread worker with another main loop: slow clients hold no thread, and no request more than its share.

The main thread reads requests and orders them (`server/request_queue.py`); threads answer whole requests. A thread
stays with its connection for a moment, because agents send several requests in a row, and handing each over costs
nearly as much CPU as Django.
"""

import errno
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from heapq import nsmallest
from operator import attrgetter
from selectors import EVENT_READ
from typing import Any

from django.conf import settings
from django.db import connections
from gunicorn.http import errors as http
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from core import deadlines
from lane.passing import declined
from server.connections import Arrival, Connection
from server.hearing import Hearing
from server.refusals import asks_for_page, count_refusal, refuse, refuse_for_now, refuse_unreadable
from server.request_queue import RequestQueue, Waiting
from server.responses import WebResponse
from server.threads import Threads
from server.waiting_room import WaitingRoom, asks_to_wait

# How long a client may take to close a connection that we are done with.
_LEAVE_SECONDS = 2.0
# A worker that stops keeps idle connections for this long, for requests that are on their way.
_LINGER_SECONDS = 2.0
# gunicorn's master needs a sign of life once in `timeout`, not at each event.
_NOTIFY_SECONDS = 1.0
# How often the main thread looks at what takes too long.
_LOOK_SECONDS = 0.25
# How many connections are taken at a time.
_ACCEPTED_AT_ONCE = 64
# The system has no file descriptor or no memory left for a connection. It stays in the listen queue.
_NOTHING_LEFT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_CONNECTION = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}

# A request may wait for the database for this long after it has arrived, others for as long as one statement may. This
# bounds the waiting for a thread too.
_READINESS_SECONDS = 2.5
# Probes have threads of their own: one that never asks the database, so that nothing can hold it, and one that does.
_LIVENESS = re.compile(rb"(?:GET|HEAD) /(?:healthz|health/live) HTTP/1\.[01]\r\n")
_READINESS = re.compile(rb"(?:GET|HEAD) /(?:readyz|health/ready|health) HTTP/1\.[01]\r\n")


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    """Only the main thread touches the poller and the sets of connections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._notified = self._looked = self._accept_again = 0.0
        # Connections that the poller watches, those that only wait for the client to close them, and those whose body a
        # thread reads.
        self._watched: set[Connection] = set()
        self._leaving: set[Connection] = set()
        self._large: set[Connection] = set()
        self._hearing = Hearing()
        # At least half of the places for connections remain for requests that do not wait.
        self._room = WaitingRoom(self.worker_connections // 2)

    def get_thread_pool(self) -> "Threads":
        """In place of gunicorn's pool."""
        self._queue = RequestQueue(threads=self.cfg.threads, patience_seconds=settings.QUEUE_PATIENCE_SECONDS)
        return Threads(self._queue, self.cfg.threads)

    def init_process(self) -> None:
        # Not before the fork, which takes no thread along.
        self._liveness, self._readiness = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        from server import counters  # noqa: PLC0415  its files belong to one process, so not before it either

        self._counters = counters
        counters.THREADS.set(self.cfg.threads)
        super().init_process()

    def notify(self) -> None:
        now = time.monotonic()
        if now - self._notified >= _NOTIFY_SECONDS:
            self._notified = now
            super().notify()

    # --- The main thread -------------------------------------------------------------------------

    def run(self) -> None:
        from server.plain_requests import PlainRequests  # noqa: PLC0415  Django is loaded now

        self._plain = PlainRequests(self.cfg)
        self.tpool.start(self._answer_requests)
        self.poller.register(self.method_queue.fileno(), EVENT_READ, self.method_queue.run_callbacks)
        while self.alive and self.is_parent_alive():
            if self.nr_conns >= self.worker_connections:
                self._make_room()
            may_accept = self.nr_conns < self.worker_connections and time.monotonic() >= self._accept_again
            self.set_accept_enabled(may_accept)
            if not may_accept:
                self._hearing.miss()
            self._step()
            self._ask_ourselves()
        self._stop()

    def _step(self) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(timeout=_LOOK_SECONDS)
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._counters.BUSY.set(self._queue.answered_now)
            self._counters.WAITING.set(len(self._queue))
            self._end_what_takes_too_long(now)

    def _ask_ourselves(self) -> None:
        request = self._hearing.request(time.monotonic(), self.sockets)
        if request is not None and not self._queue.put(request):
            self._hearing.give_up()

    def _stop(self) -> None:
        """Take the connections that have been made, make no more, and answer what is under way."""
        self._room.close()
        self.set_accept_enabled(False)
        for listener in self.sockets:
            while self._accept_one(listener):
                pass
            listener.close()
        now = time.monotonic()
        for conn in self._watched:
            if not conn.received:
                conn.until = min(conn.until, now + _LINGER_SECONDS)
        while self.nr_conns and time.monotonic() < now + self.cfg.graceful_timeout:
            self._step()
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()

    def _end_what_takes_too_long(self, now: float) -> None:
        for conn in self._room.take_out(now):
            self._queue_up(conn.request())
        for request in self._queue.give_up(now):
            if request.connection is self._hearing:
                self._hearing.give_up()
            else:
                self._refuse_for_now(request, is_overload=False)
        for conn in [conn for conn in self._watched if conn.until <= now]:
            if conn.received:
                self._unwatch(conn)
                refuse(conn.sock, 408, "The request did not arrive in time.")
                self._leave(conn)
            # A request may have come since the poller was asked, and would be lost.
            elif (arrival := conn.receive()) is Arrival.PART and not conn.received:
                self._unwatch(conn)
                self._drop(conn)
            else:
                self._go_on(conn, arrival)
        for conn in [conn for conn in self._leaving if conn.until <= now]:
            self._end_leaving(conn)
        for conn in self._large:
            if conn.until <= now:
                conn.stop_reading()

    # --- A connection begins ---------------------------------------------------------------------

    def _make_room(self) -> None:
        """Drop some of the connections on which nothing has come for the longest time: a probe must find a place."""
        idle = (conn for conn in self._watched if not conn.received)
        for conn in nsmallest(1 + self.worker_connections // 16, idle, key=attrgetter("until")):
            self._unwatch(conn)
            self._drop(conn)

    def accept(self, listener: Any) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if self.nr_conns >= self.worker_connections or not self._accept_one(listener):
                return

    def _accept_one(self, listener: Any) -> bool:
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NOTHING_LEFT:
                self.log.warning("cannot take connections for a moment: %s", error.strerror)
                self._accept_again = time.monotonic() + _LOOK_SECONDS
            elif error.errno not in _NO_CONNECTION:
                raise
            return False
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname(), idle_seconds=self.cfg.keepalive)
        self._watch(conn)
        return True

    def _watch(self, conn: Connection) -> None:
        self._watched.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_readable, conn))

    def _unwatch(self, conn: Connection) -> None:
        self._watched.remove(conn)
        self.poller.unregister(conn.sock)

    def _on_readable(self, conn: Connection, _socket: Any) -> None:
        self._go_on(conn, conn.receive())

    def _go_on(self, conn: Connection, arrival: Arrival) -> None:
        """Do with a watched connection what has to follow what has arrived on it."""
        if arrival is Arrival.PART:
            return
        self._unwatch(conn)
        if arrival is Arrival.GONE:
            self._drop(conn)
        elif arrival is Arrival.TOO_LONG:
            is_first_line = b"\r\n" not in conn.received
            too_long = http.LimitRequestLine(0, 0) if is_first_line else http.LimitRequestHeaders("")
            refuse_unreadable(conn.sock, too_long)
            self._leave(conn)
        else:
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        if not conn.is_large and self._room.take_in(conn, conn.head, time.monotonic()):
            return
        request = conn.request()
        if conn.is_large:
            self._large.add(conn)
        elif _LIVENESS.match(conn.head):
            self._hand_over_probe(self._liveness, self._answer, request)
            return
        elif _READINESS.match(conn.head):
            self._hand_over_probe(self._readiness, self._answer_readiness, request)
            return
        self._queue_up(request)

    def _queue_up(self, request: Waiting) -> None:
        if not self._queue.put(request):
            self._refuse_for_now(request, is_overload=True)

    def _hand_over_probe(
        self, pool: ThreadPoolExecutor, answer: Callable[[Waiting, float], Any], request: Waiting
    ) -> None:
        future = pool.submit(answer, request, request.arrived + _READINESS_SECONDS)
        future.add_done_callback(partial(self._on_probe_answered, request.connection))

    def _on_probe_answered(self, conn: Connection, future: Future[Any]) -> None:
        kept = future.exception() is None and future.result()
        self.method_queue.defer(self._take_back, conn, kept)

    def _refuse_for_now(self, request: Waiting, *, is_overload: bool) -> None:
        if request.is_vital:
            self._hearing.miss()
        conn = request.connection
        self._counters.REFUSED.labels("overloaded" if is_overload else "busy").inc()
        count_refusal(conn.kind)
        self._large.discard(conn)
        is_page = asks_for_page(conn.head)
        stays = self.alive and conn.skip()
        refuse_for_now(conn.sock, is_overload=is_overload, stays=stays, is_page=is_page)
        if stays:
            self._keep(conn)
        else:
            self._leave(conn)

    # --- Requests are answered, in threads -------------------------------------------------------

    def _answer_requests(self) -> None:
        while (request := self._queue.take()) is not None:
            conn = request.connection
            if conn is self._hearing:
                self._hearing.note(request.arrived + settings.DATABASE_PATIENCE_SECONDS)
                self._queue.done(request)
                continue
            try:
                kept = self._answer_in_turn(request)
                while kept is True and (following := self._following(conn)) is not None:
                    if not self._queue.exchange(request, following):
                        break
                    request = following
                    kept = self._answer_in_turn(request)
            finally:
                self._queue.done(request)
            self.method_queue.defer(self._take_back, conn, kept)

    def _answer_in_turn(self, request: Waiting) -> Any:
        began = time.monotonic()
        self._counters.WAITS.observe(began - request.arrived)
        try:
            return self._answer(request, request.arrived + settings.DATABASE_PATIENCE_SECONDS)
        finally:
            self._counters.BUSY_SECONDS.inc(time.monotonic() - began)

    def _answer(self, request: Waiting, deadline: float) -> Any:
        """Answer a request. Returns whether to keep the connection."""
        conn = request.connection
        deadlines.begin(deadline)
        try:
            kept = self._answer_plain(conn)
            return self._answer_any(conn) if kept is None else kept
        finally:
            deadlines.end()

    def _answer_plain(self, conn: Connection) -> bool | None:
        # gunicorn answers the last requests of a process, because they end their connections.
        is_last = not self.alive or self.nr + 1 >= self.max_requests
        kept = None if is_last else self._plain.answer(conn)
        self.nr += kept is not None
        return kept

    def _answer_any(self, conn: Connection) -> Any:
        conn.begin()
        try:
            with declined(conn.is_declined):
                return super().handle(conn)
        finally:
            conn.end()

    def _answer_readiness(self, request: Waiting, deadline: float) -> Any:
        """On a connection to the database that is made for it: readiness is also that one can be made."""
        try:
            return self._answer(request, deadline)
        finally:
            connections.close_all()

    def _following(self, conn: Connection) -> Waiting | None:
        """The next request on the connection, if it comes at once. Others may wait for the thread meanwhile."""
        if len(self._queue) or not self.alive:
            return None
        arrival = conn.arrival()
        if arrival is Arrival.PART:
            arrival = self.tpool.stay_with(conn)
        is_ours = arrival is Arrival.WHOLE and not conn.is_large and not asks_to_wait(conn.head)
        return conn.request() if is_ours else None

    # --- A connection comes back or ends ---------------------------------------------------------

    def _take_back(self, conn: Connection, kept: object) -> None:
        self._large.discard(conn)
        if kept is True:
            self._keep(conn)
        else:
            self._leave(conn)

    def _keep(self, conn: Connection) -> None:
        conn.wait(self.cfg.keepalive if self.alive else _LINGER_SECONDS)
        self._watch(conn)
        if conn.received:
            self._go_on(conn, conn.arrival())

    def _leave(self, conn: Connection) -> None:
        """Leave a connection that is over open until the client closes it. Otherwise the kernel would reset it, and the
        client could lose the end of our answer.
        """
        # The client may be gone already; the next look finds that out.
        with suppress(OSError):
            conn.wait(_LEAVE_SECONDS)
            conn.sock.shutdown(socket.SHUT_WR)
        if conn.has_left():
            self._drop(conn)
            return
        self._leaving.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_leaving_readable, conn))

    def _on_leaving_readable(self, conn: Connection, _socket: Any) -> None:
        if conn.has_left():
            self._end_leaving(conn)

    def _end_leaving(self, conn: Connection) -> None:
        self._leaving.remove(conn)
        self.poller.unregister(conn.sock)
        self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    # --- Requests that are not HTTP --------------------------------------------------------------

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer in the API's form. gunicorn would repeat the refused line in an HTML page and in its log, and a
        malformed Authorization line holds a key.
        """
        if refuse_unreadable(client, exc):
            self.log.warning("refused a request from %s: %s", addr[0] if addr else "", type(exc).__name__)
        else:
            self.log.error("failed to answer a request", exc_info=exc)
            refuse(client, 500, None)


# The worker takes the class from there; it has no setting for it.
wsgi.Response = WebResponse
