"""What follows from a new connection to the database: it is counted, and its statements are timed."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from prometheus_client import Counter

from core.database_metrics import time_statement

CONNECTIONS = Counter("brokkr_database_connections_opened_total", "Connections made to the database.")


@receiver(connection_created)
def watch_connection(sender: type, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    CONNECTIONS.inc()
    # The first, because the context manager `execute_wrapper` removes the last one at its end.
    if time_statement not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, time_statement)
