"""Django's backend for SQLite, with a number for each transaction, which PostgreSQL has by itself.

Triggers call the function `transaction_number()` (`core/history_migrations.py`), so only programs that know it can
write to tables with such triggers.
"""

from random import SystemRandom
from typing import Any

from django.db.backends.sqlite3 import base

_BITS = 63
_chance = SystemRandom()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose SQL knows `transaction_number()`: an integer that no other transaction has."""

    _number: int

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("transaction_number", 0, self._number_of_transaction)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        super()._start_transaction_under_autocommit()  # type: ignore[misc]  # the stubs lack it
        self._number = _chance.getrandbits(_BITS)

    def _number_of_transaction(self) -> int:
        # Outside of `atomic` each statement is a transaction of its own.
        return self._number if self.in_atomic_block else _chance.getrandbits(_BITS)
