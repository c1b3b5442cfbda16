"""Worker and commands wait for somebody else's lock no longer than they may, and say what it was."""

import re
import time

import psycopg
import pytest

from tests.faults.conftest import Cluster, Start

pytestmark = pytest.mark.faults

# Django's start included.
LONGEST_SECONDS = 20


def test_a_migration_that_waits_for_a_table_gives_up(cluster: Cluster, start: Start):
    broker = start(BROKKR_DB_MIGRATE_LOCK_TIMEOUT_SECONDS="1")

    with psycopg.connect(cluster.postgres.url) as connection:
        connection.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(AssertionError, match="lock timeout"):
            broker.manage("migrate")
        connection.rollback()

    assert time.monotonic() - began < LONGEST_SECONDS
    broker.manage("migrate")


def test_a_job_that_waits_for_a_table_gives_up_and_the_others_are_done(cluster: Cluster, start: Start):
    broker = start(BROKKR_DB_WORKER_LOCK_TIMEOUT_SECONDS="1")

    with psycopg.connect(cluster.postgres.url) as connection:
        connection.execute("LOCK TABLE rate_buckets IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(AssertionError) as failed:
            broker.manage("run_worker", "--once")
        connection.rollback()

    assert re.findall(r"job (\S+) failed", str(failed.value)) == ["core.jobs.forget_buckets"]
    broker.manage("run_worker", "--once")
