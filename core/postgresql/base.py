"""Django's backend for PostgreSQL, with connections that never wait for ever.

The server's own time-outs end statements and waits for locks. They do not help if the server no longer answers: if it
is stopped, cannot be reached, or is behind a proxy that keeps the TCP connection open. So the client has a limit too.
"""

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, Self

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from core import deadlines
from core.postgresql.statements import Statement

# How often psycopg checks whether it was interrupted.
_INTERVAL_SECONDS = 0.1
# A connection that does not answer `SELECT 1` within this time is replaced.
_LOOK_SECONDS = 2.0
# Each wait gets at least this time, even if the request is late, so that a long download does not end between two rows.
_LEAST_SECONDS = 1.0
# What a kept connection that says nothing leaves of the request's time: to make another one, and ask again.
_ANOTHER_TRY_SECONDS = 2.3
# The end of the time, in which the server is asked to cancel the statement and to say what it was waiting for.
_LAST_WORD_SECONDS = 0.5
# The shortest time-out that psycopg allows for making a connection.
_LEAST_CONNECT_SECONDS = 2


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits only for a limited time.

    If the server does not answer within the time of the statement or of the request, it raises OperationalError and
    is closed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patience_seconds: float = settings.DATABASE_PATIENCE_SECONDS
        # The server has refused a change: perhaps another server takes changes now.
        self.only_reads = False
        # What runs now may run again on another connection, if this one says nothing.
        self.is_on_trial = False
        self._commits = False
        self._prepares = False
        self._statements: dict[str, Statement] = {}

    @classmethod
    def connect(cls, conninfo: str = "", *, prepare_threshold: int | None = None, **kwargs: Any) -> Self:
        """The same as psycopg's, but it ends at the request's deadline.

        Without `prepare_threshold`, statements are not prepared. With it, `run` prepares them at once, and psycopg
        none: it would discard all of them with its own.
        """
        left = deadlines.seconds_left()
        if left is not None:
            if left < _LEAST_CONNECT_SECONDS:
                raise psycopg.OperationalError("no time is left to connect to the database")
            kwargs["connect_timeout"] = min(int(kwargs.get("connect_timeout", left)), int(left))
        host = str(kwargs.get("host") or "")
        if _is_name(host) and "hostaddr" not in kwargs:
            seconds = int(kwargs.get("connect_timeout", _LEAST_CONNECT_SECONDS))
            addresses = _look_up(host, seconds)
            kwargs |= {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}
        made = super().connect(conninfo, prepare_threshold=None, **kwargs)
        made._prepares = prepare_threshold is not None
        return made

    def run(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows of a statement with `%(name)s` parameters, none if it returns no rows. Raises psycopg's errors.

        The statement must be one of few, because each is kept.
        """
        if not self.autocommit and self.pgconn.transaction_status == TransactionStatus.IDLE:
            self.wait(self._start_query())
        statement = self._statements.get(sql)
        if statement is None:
            statement = self._statements[sql] = Statement(self, sql, prepares=self._prepares)
        return statement.run(parameters)

    def wait(self, gen: PQGen[Any], interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> Any:
        """The same as psycopg's, but for a limited time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        patience, left = self.patience_seconds, deadlines.seconds_left()
        if left is not None:
            patience = min(patience, max(left, _LEAST_SECONDS))
        if self.is_on_trial:
            patience = max(patience - _ANOTHER_TRY_SECONDS, _LEAST_SECONDS)
        try:
            return self._wait_and_cancel(gen, interval, patience)
        except errors.ReadOnlySqlTransaction:
            self.only_reads = True
            raise
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database has not answered for {patience:.1f} s; the connection is closed"
            ) from None

    def commit(self) -> None:
        """The same as psycopg's."""
        self._commits = True
        try:
            super().commit()
        finally:
            self._commits = False

    def _wait_and_cancel(self, gen: PQGen[Any], interval: float, patience: float) -> Any:
        """Wait; a statement that takes too long is cancelled, because the server's error tells whether it waited for a
        lock. But no commit is: it would say that a standby has what only this server has.
        """
        if self._commits or self.autocommit:
            return super().wait(gen, interval, patience)
        try:
            return super().wait(gen, interval, max(patience - _LAST_WORD_SECONDS, _LEAST_SECONDS))
        except errors._WaitTimeout as late:
            try:
                self.cancel_safe(timeout=_LAST_WORD_SECONDS)
            except psycopg.Error:
                raise late from None
            return super().wait(gen, interval, _LAST_WORD_SECONDS)


# The system's resolver takes as long as it likes, so these wait for it, and a request for them only for a while.
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolver")


def _is_name(host: str) -> bool:
    """Whether it is the name of one host, neither a folder of sockets nor a list nor an address."""
    if not host or host.startswith(("/", "@")) or "," in host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def _look_up(host: str, seconds: int) -> list[str]:
    """The addresses of a host. Raises OperationalError when it has none, or the resolver takes too long."""
    asked = _resolvers.submit(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    try:
        found = asked.result(timeout=seconds)
    except TimeoutError:
        asked.cancel()
        raise psycopg.OperationalError(f"looking up {host} takes longer than {seconds} s") from None
    except OSError as error:
        raise psycopg.OperationalError(f"{host} cannot be looked up: {error}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with bounded connections."""

    # The psycopg module, but it makes bounded connections.
    Database: Any = SimpleNamespace(**(vars(psycopg) | {"connect": BoundedConnection.connect}))

    def close_if_unusable_or_obsolete(self) -> None:
        """Close it also after a refused change. Django forgets the error at the rollback, and so would keep it."""
        if self.connection is not None and self.connection.only_reads:
            self.errors_occurred = True
        super().close_if_unusable_or_obsolete()

    def is_usable(self) -> bool:
        """Whether the connection answers soon and has not refused changes. Django drops an unusable connection."""
        connection = self.connection
        if connection is None or connection.closed or connection.only_reads:
            return False
        usual, connection.patience_seconds = connection.patience_seconds, _LOOK_SECONDS
        try:
            return bool(super().is_usable())
        finally:
            connection.patience_seconds = usual
