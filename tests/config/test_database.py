"""How long each kind of process waits for the database, and what it is told about it."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.database import Timeouts, database_settings, database_timeouts

GUNICORN = ["/usr/bin/gunicorn"]
WEB = database_timeouts(GUNICORN)


@pytest.fixture
def database_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BROKKR__DATABASE__URL", raising=False)

    def use(url: str) -> dict[str, object]:
        monkeypatch.setenv("DATABASE_URL", url)
        return database_settings(Path("/nowhere"), WEB)

    return use


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        (GUNICORN, Timeouts(3, 8, 15)),
        (["/usr/lib/python3/site-packages/gunicorn/__main__.py"], Timeouts(3, 8, 15)),
        (["manage.py", "run_worker"], Timeouts(10, 60, 15)),
        (["./manage.py", "create_pak", "--json"], Timeouts(10, 60, 60)),
        (["/srv/manage.py"], Timeouts(10, 60, 60)),
        (["manage.py", "migrate"], Timeouts(2, 1800, 60)),
    ],
    ids=["web", "web as a module", "worker", "command", "no command", "migrations"],
)
def test_each_kind_of_process_has_its_time_outs(command_line, expected):
    assert database_timeouts(command_line) == expected


def test_time_outs_are_settings(monkeypatch):
    monkeypatch.setenv("BROKKR_DB_WORKER_STATEMENT_TIMEOUT_SECONDS", "77")

    assert database_timeouts(["manage.py", "run_worker"]).statement == 77
    assert database_timeouts(GUNICORN).statement == 8


def test_the_client_gives_up_after_the_server_and_within_ten_seconds():
    assert WEB.statement < WEB.patience_seconds < 10


def test_a_request_that_has_waited_for_a_thread_still_has_the_time_for_a_lock_of_a_row():
    assert settings.QUEUE_PATIENCE_SECONDS + 2 * WEB.lock <= WEB.statement


def test_time_outs_are_added_to_the_options_of_the_url_which_come_last_and_so_first(database_url):
    options = database_url("postgres://h/d?options=-c%20search_path%3Dx%20-c%20lock_timeout%3D1s")["OPTIONS"]

    assert options["options"] == (
        "-c random_page_cost=1.1 -c jit=off -c plan_cache_mode=force_generic_plan -c lock_timeout=3s"
        " -c statement_timeout=8s"
        " -c idle_in_transaction_session_timeout=15s -c search_path=x -c lock_timeout=1s"
    )


def test_what_the_url_says_of_the_connection_itself_stays(database_url):
    options = database_url("postgres://h/d?connect_timeout=7&sslmode=require&keepalives_idle=99")["OPTIONS"]

    assert (options["connect_timeout"], options["sslmode"], options["keepalives_idle"]) == (7, "require", 99)
    assert options["tcp_user_timeout"] == 8000


def test_a_pooler_is_sent_no_start_up_parameter_that_it_may_refuse(database_url, monkeypatch):
    monkeypatch.setenv("BROKKR_DB_POOLER", "transaction")
    found = database_url("postgres://h/d")

    assert "options" not in found["OPTIONS"]
    assert found["OPTIONS"]["prepare_threshold"] is None
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_a_pooler_that_handles_prepared_statements_is_sent_them(database_url, monkeypatch):
    monkeypatch.setenv("BROKKR_DB_POOLER", "transaction-prepared")
    found = database_url("postgres://h/d")

    assert "options" not in found["OPTIONS"]
    assert found["OPTIONS"]["prepare_threshold"] == 5
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_other_kinds_of_database_are_refused(database_url):
    with pytest.raises(ImproperlyConfigured, match="must begin with"):
        database_url("mysql://h/d")
