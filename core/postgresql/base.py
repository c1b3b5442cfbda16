"""Django's backend for PostgreSQL, whose connections never wait without an end.

The server's own time-outs end what it knows of: statements, waiting for locks. They do not help when the server says
nothing any more, stopped, lost, or behind a proxy that keeps the TCP connection alive. So the client has a limit too.
"""

import time
from types import SimpleNamespace
from typing import Any, Self

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.abc import PQGen

from core import admission

# How often psycopg looks whether it was interrupted.
_INTERVAL_SECONDS = 0.1
# A connection that has not answered `SELECT 1` by then is replaced.
_LOOK_SECONDS = 2.0
# What each wait is given even when the request is late: a long download must not end between two rows.
_LEAST_SECONDS = 1.0
# psycopg allows a connection no less time than this to be made.
_LEAST_CONNECT_SECONDS = 2
# How long the server may take to cancel a statement.
_CANCEL_SECONDS = 1.0


class BoundedConnection(psycopg.Connection[Any]):
    """Raises OperationalError, and is closed, when the server has not answered within the statement's or the
    request's time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patience_seconds: float = settings.DATABASE_PATIENCE_SECONDS
        # The server has refused a change: the one that takes them may be another by now.
        self.only_reads = False
        self._may_cancel = True

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        """As psycopg's. A request that is late is not made later by it."""
        hold = admission.current()
        if hold is not None:
            left = int(hold.seconds_left)
            if left < _LEAST_CONNECT_SECONDS:
                raise psycopg.OperationalError("no time is left to connect to the database")
            kwargs["connect_timeout"] = min(int(kwargs.get("connect_timeout", left)), left)
        return super().connect(conninfo, **kwargs)

    def commit(self) -> None:
        # A commit that waits for its standby would be cancelled into a success that the standby has not.
        self._may_cancel = False
        try:
            super().commit()
        finally:
            self._may_cancel = True

    def wait(self, gen: PQGen[Any], interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> Any:
        """As psycopg's, within bounds."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        hold = admission.current()
        patience = self.patience_seconds
        try:
            if hold is None:
                return super().wait(gen, interval, patience)
            patience = min(patience, max(hold.seconds_left, _LEAST_SECONDS))
            if not self._may_cancel:
                return super().wait(gen, interval, patience)
            ends = time.monotonic() + patience
            try:
                return super().wait(gen, interval, min(admission.STUCK_SECONDS, patience))
            except errors._WaitTimeout:
                if not admission.may_stay_stuck(hold):
                    return self._give_way(gen)
                return super().wait(gen, interval, max(0.0, ends - time.monotonic()))
        except errors.ReadOnlySqlTransaction:
            self.only_reads = True
            raise
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database has not answered for {patience:.1f} s; the connection is closed"
            ) from None

    def _give_way(self, gen: PQGen[Any]) -> Any:
        """End the statement, because other requests have a right to the thread. It may still have been quicker."""
        self._try_cancel(timeout=_CANCEL_SECONDS)
        try:
            return super().wait(gen, _INTERVAL_SECONDS, _CANCEL_SECONDS)
        except errors.QueryCanceled as error:
            raise errors.LockNotAvailable("others of its kind wait for the database already") from error


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with bounded connections."""

    # psycopg, but for whose connections it makes.
    Database: Any = SimpleNamespace(**(vars(psycopg) | {"connect": BoundedConnection.connect}))

    def is_usable(self) -> bool:
        """Whether the connection answers soon, and takes changes as far as is known. Django drops one that does not."""
        connection = self.connection
        if connection is None or connection.closed or connection.only_reads:
            return False
        usual, connection.patience_seconds = connection.patience_seconds, _LOOK_SECONDS
        try:
            return bool(super().is_usable())
        finally:
            connection.patience_seconds = usual
