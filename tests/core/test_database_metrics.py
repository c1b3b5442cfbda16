"""Statements are timed by what they do, whichever way they take; connections are counted."""

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from core.database_metrics import query_type, time_statement
from core.metrics import exposition
from core.prepared import fetch_all
from paks.models import Pak


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "select"),
        ("\n  insert into a values (1)", "insert"),
        ("UPDATE a SET b = 1", "update"),
        ("DELETE FROM a", "delete"),
        ("SAVEPOINT one", "other"),
        ("", "other"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "select"),
        ("WITH a AS (SELECT 1 FROM b FOR NO KEY UPDATE) SELECT * FROM a FOR UPDATE", "select"),
        ("WITH a AS (UPDATE b SET c = 1 RETURNING c) SELECT * FROM a", "update"),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a ON CONFLICT DO UPDATE SET c = 1", "insert"),
    ],
)
def test_a_statement_is_told_by_what_it_does(sql, kind):
    assert query_type(sql) == kind


def _value(start: str) -> float:
    return sum(
        float(line.split()[-1]) for line in exposition().decode().splitlines() if line.startswith(start)
    )


def _selects() -> float:
    return _value('brokkr_database_query_duration_seconds_count{query_type="select"}')


@pytest.mark.django_db
def test_a_query_of_django_and_a_prepared_statement_are_both_timed():
    _selects()
    # Looking is itself a number of statements, always the same.
    first, second = _selects(), _selects()
    Pak.objects.count()
    fetch_all("SELECT 1", {})
    assert _selects() == second + (second - first) + 2


@pytest.mark.django_db
def test_a_connection_is_counted_when_it_is_made_and_its_statements_are_timed_once():
    before = _value("brokkr_database_connections_opened_total")
    connection_created.send(sender=type(connection), connection=connection)
    assert _value("brokkr_database_connections_opened_total") == before + 1
    assert connection.execute_wrappers.count(time_statement) == 1
