"""What `manage.py doctor` says of the database and of the worker."""

from datetime import timedelta

import pytest
from django.core.checks import ERROR, WARNING
from django.db.migrations.recorder import MigrationRecorder

from config.installation_checks import database, worker
from config.jobs import mark_worker
from config.models import WorkerMark
from core import clock

pytestmark = pytest.mark.django_db


def test_a_missing_migration_is_named():
    MigrationRecorder.Migration.objects.filter(app="config", name="0002_worker_mark").delete()
    (found,) = database.migrations()
    assert found.level == ERROR
    assert "config.0002_worker_mark" in found.msg


def test_nothing_is_said_of_a_migrated_database():
    assert list(database.migrations()) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, []), (5, []), (90, ["90 s ahead of"]), (-90, ["90 s behind"])]
)
def test_clocks_that_differ_are_told(monkeypatch, seconds, words):
    monkeypatch.setattr(clock, "difference", lambda: timedelta(seconds=seconds))
    found = list(database.clocks())
    assert [word in message.msg for word, message in zip(words, found, strict=True)] == [True] * len(words)


def test_the_clock_of_a_database_on_this_machine_does_not_differ():
    assert abs(clock.difference()) < timedelta(seconds=60)


@pytest.mark.parametrize("trouble", ["database read-only", ""])
def test_what_readyz_says_is_told(monkeypatch, trouble):
    monkeypatch.setattr(database, "database_trouble", lambda: trouble)
    assert [trouble in message.msg for message in database.session()] == [True] * bool(trouble)


@pytest.mark.parametrize(
    ("is_there", "is_named", "levels"),
    [(True, False, [ERROR]), (False, True, [WARNING]), (True, True, []), (False, False, [])],
)
def test_a_pooler_is_to_be_named_and_what_is_named_to_be_there(
    monkeypatch, settings, is_there, is_named, levels
):
    monkeypatch.setattr(database, "is_postgresql", lambda: True)
    monkeypatch.setattr(database, "_goes_through_pooler", lambda: is_there)
    settings.DATABASE_HAS_POOLER = is_named
    assert [message.level for message in database.pooler()] == levels


def test_a_direct_connection_goes_through_no_pooler():
    assert list(database.pooler()) == []


@pytest.mark.requires_postgres
@pytest.mark.parametrize(("replicas", "is_wrong"), [(1, False), (1000, True)])
def test_more_connections_than_postgresql_has_are_told(settings, replicas, is_wrong):
    settings.WEB_REPLICAS, settings.WEB_WORKERS, settings.WEB_THREADS = replicas, 1, 4
    found = list(database.connections())
    assert [f"may need {5 * replicas + 7} connections" in message.msg for message in found] == [
        True
    ] * is_wrong


@pytest.mark.requires_postgres
def test_behind_a_pooler_its_pool_counts(settings):
    settings.WEB_REPLICAS, settings.DATABASE_HAS_POOLER = 1000, True
    assert list(database.connections()) == []


def test_a_worker_that_never_was_is_told():
    assert [message.msg for message in worker.worker()] == ["No worker was ever seen."]


def test_a_worker_that_was_seen_just_now_is_well():
    mark_worker()
    assert list(worker.worker()) == []


def test_a_worker_that_was_seen_long_ago_is_told():
    mark_worker()
    WorkerMark.objects.update(seen_at=clock.now() - timedelta(minutes=10))
    (found,) = worker.worker()
    assert "No worker was seen for 6" in found.msg
    assert WorkerMark.objects.count() == 1
