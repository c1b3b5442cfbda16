"""The database: its migrations, clock, pooler and connections."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core import clock
from core.api.probes import database_trouble
from core.installation_checks import register_database_check
from core.prepared import is_postgresql

_CLOCKS_DIFFER = timedelta(seconds=5)
# Two workers with two connections each, and a command and a backup beside `doctor` itself.
_BESIDE_WEB = 7


@register_database_check
def migrations() -> Iterator[CheckMessage]:
    """Migrations of this release that the database lacks."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first, _ = plan[0]
        yield Error(
            f"{len(plan)} migrations are missing; the first is {first.app_label}.{first.name}.",
            hint="Run `manage.py migrate`.",
            id="brokkr.migrations",
        )


@register_database_check
def clocks() -> Iterator[CheckMessage]:
    """This machine's clock against the database's."""
    ahead = clock.difference()
    if abs(ahead) > _CLOCKS_DIFFER:
        side = "ahead of" if ahead > timedelta(0) else "behind"
        yield Caution(
            f"This machine's clock is {abs(ahead).total_seconds():.0f} s {side} the database's.",
            hint="Synchronize the clocks (NTP). The broker goes by the database's; logs go by this machine's.",
            id="brokkr.clock",
        )


@register_database_check
def session() -> Iterator[CheckMessage]:
    """What `/readyz` says of the database, which is why it answers 503."""
    trouble = database_trouble()
    if trouble:
        yield Error(
            f"/readyz of this process would say: {trouble}.",
            hint="docs/how-to/scale-out.md says which time-outs the role must have behind a pooler.",
            id="brokkr.not_ready",
        )


@register_database_check
def pooler() -> Iterator[CheckMessage]:
    """A pooler that BROKKR_DB_POOLER does not name, or one that it names and that is not there."""
    if not is_postgresql():
        return
    found = _goes_through_pooler()
    if found and not settings.DATABASE_HAS_POOLER:
        yield Error(
            "There is a pooler between the broker and PostgreSQL, and BROKKR_DB_POOLER is none.",
            hint="Set it to transaction or transaction-prepared: docs/how-to/scale-out.md has the table.",
            id="brokkr.pooler",
        )
    elif settings.DATABASE_HAS_POOLER and not found:
        yield Caution(
            "BROKKR_DB_POOLER names a pooler, and this process talks to PostgreSQL directly.",
            hint="Without a pooler leave it at none, so that the broker's own time-outs hold.",
            id="brokkr.pooler",
        )


def _goes_through_pooler() -> bool:
    """A pooler gives its clients numbers of its own, where PostgreSQL gives the number of the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return bool(connection.connection.info.backend_pid != pid)


@register_database_check
def connections() -> Iterator[CheckMessage]:
    """PostgreSQL's connections against what all processes may take. Behind a pooler its pool counts instead."""
    if not is_postgresql() or settings.DATABASE_HAS_POOLER:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int"
        )
        most, reserved = cursor.fetchone()
    needed = settings.WEB_REPLICAS * settings.WEB_WORKERS * (settings.WEB_THREADS + 1) + _BESIDE_WEB
    if needed > most - reserved:
        yield Error(
            f"The broker may need {needed} connections ({settings.WEB_REPLICAS} replicas x {settings.WEB_WORKERS} "
            f"processes x ({settings.WEB_THREADS} threads + 1) + {_BESIDE_WEB}), and PostgreSQL has {most - reserved}.",
            hint="Raise max_connections, lower BROKKR_WEB_WORKERS or BROKKR_WEB_THREADS, or use a pooler.",
            id="brokkr.connections",
        )
