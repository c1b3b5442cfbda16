"""A database that only reads: agents go on polling, changes are put off, and it ends by itself."""

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start
from tests.support.clocked import ask, poll_path
from tests.support.live_api import MANIFEST, Rows
from tests.support.proxy import Proxy
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = pytest.mark.faults

PATIENCE_SECONDS = 60


def forget_when_keys_were_used(cluster: Cluster) -> None:
    """The next call with any key will want to note it."""
    with psycopg.connect(cluster.postgres.url) as connection:
        connection.execute("UPDATE paks SET last_used_at = NULL")


def only_reads(broker: LiveServer, rows: Rows) -> None:
    for _ in range(10):
        polled = ask(broker, "GET", poll_path(rows.agent_id), key=rows.agent_key)
        assert (polled.status, len(polled.json()) > 0) == (200, True)
        read = ask(broker, "GET", f"/api/v1/stacks/{rows.stack_id}", key=rows.generator_key)
        assert read.status == 200
    for path, body in (
        (f"/api/v1/stacks/{rows.stack_id}/deployment-objects", {"yaml_content": MANIFEST}),
        (f"/api/v1/stacks/{rows.stack_id}/labels", {"label": "new"}),
        ("/api/v1/stacks", {"name": "new", "generator_id": rows.generator_id}),
        ("/api/v1/agents", {"name": "new", "cluster_name": "c"}),
    ):
        refused = ask(broker, "POST", path, key=broker.admin_key, body=body)
        assert (refused.status, refused.code) == (503, "database_unavailable")
        assert int(refused.headers["retry-after"]) > 0
    beat = ask(broker, "POST", f"/api/v1/agents/{rows.agent_id}/heartbeat", key=rows.agent_key)
    assert (beat.status, beat.code) == (503, "database_unavailable")
    ready = ask(broker, "GET", "/readyz")
    assert (ready.status, ready.body) == (503, b"database read-only")
    assert ask(broker, "GET", "/healthz").status == 200
    assert "Traceback" not in broker.log.read_text(encoding="utf-8")


def takes_changes_again(broker: LiveServer, rows: Rows) -> None:
    wait_for(lambda: ask(broker, "GET", "/readyz").status == 200, patience=PATIENCE_SECONDS)
    path = f"/api/v1/stacks/{rows.stack_id}/deployment-objects"
    # Each of the eight threads may hold a session that only reads, which the first refusal ends.
    wait_for(
        lambda: (
            {
                ask(broker, "POST", path, key=broker.admin_key, body={"yaml_content": MANIFEST}).status
                for _ in range(20)
            }
            == {201}
        ),
        patience=PATIENCE_SECONDS,
    )


def test_sessions_that_only_read_are_dropped_and_replaced(cluster: Cluster, start: Start):
    broker = start()
    with psycopg.connect(cluster.postgres.url, autocommit=True) as connection:
        forget_when_keys_were_used(cluster)
        # Sessions that begin from now on; those there are know nothing of it.
        connection.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        try:
            wait_for(lambda: ask(broker, "GET", "/readyz").status == 503, patience=PATIENCE_SECONDS)
            only_reads(broker, cluster.rows)
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    takes_changes_again(broker, cluster.rows)


def test_a_standby_serves_polls_until_it_is_promoted(cluster: Cluster, start: Start, proxy: Proxy):
    broker = start(f"postgres://postgres@127.0.0.1:{proxy.port}/postgres")
    forget_when_keys_were_used(cluster)
    with cluster.postgres.standby() as standby:
        proxy.move(standby.socket)
        only_reads(broker, cluster.rows)

        with psycopg.connect(standby.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        takes_changes_again(broker, cluster.rows)


def test_a_worker_drops_a_session_that_only_reads(cluster: Cluster, start: Start):
    broker = start()

    said = broker.manage("shell", "--no-imports", "--command", _WORK_TWICE)

    assert said == "False True"


# A session that was begun while the database only read, and one more run after that.
_WORK_TWICE = """
import logging
from datetime import timedelta

from django.db import connection

from core.jobs import Job
from core.management.commands.run_worker import run
from core.models import RateBucket

logging.disable()
job = Job("change", timedelta(0), lambda: RateBucket.objects.all().delete())
with connection.cursor() as cursor:
    cursor.execute("SET default_transaction_read_only = on")
print(run(job), run(job))
"""
