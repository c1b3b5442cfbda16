"""Statements that a connection prepares: once for each combination of types, and again when the plan is outdated."""

from collections.abc import Callable
from itertools import product

import pytest
from django.db import (
    IntegrityError,
    InternalError,
    NotSupportedError,
    ProgrammingError,
    close_old_connections,
    connection,
    transaction,
)

from core.prepared import fetch_all, fetch_all_once
from tests.factories import make_stack

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def new_connection():
    connection.close()


def plans() -> int:
    """How many statements of these tests the server has prepared."""
    sql = "SELECT count(*) FROM pg_prepared_statements WHERE starts_with(statement, 'SELECT 1 AS ours')"
    return int(fetch_all_once(sql, {})[0][0])


def undone(act: Callable[[], object]) -> None:
    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def test_a_parameter_may_stand_in_several_places_and_a_percent_sign_is_written_twice():
    sql = "SELECT %(text)s::text, %(number)s + 1, %(text)s::text || '%%', 7 %% 4"
    assert fetch_all(sql, {"text": "a", "number": 1, "other": 2}) == [("a", 2, "a%", 3)]


def test_a_statement_is_prepared_once_for_each_combination_of_types_up_to_a_limit():
    for value in (1, 2, None, 3):
        assert fetch_all("SELECT 1 AS ours, %(value)s::int", {"value": value}) == [(1, value)]
    assert plans() == 2
    names = [f"v{number}" for number in range(4)]
    many = "SELECT 1 AS ours, " + ", ".join(f"%({name})s::int" for name in names)
    for values in product((1, None), repeat=4):
        assert fetch_all(many, dict(zip(names, values, strict=True))) == [(1, *values)]
    assert plans() == 2 + 8


def test_nothing_is_prepared_for_a_pooler_that_knows_no_prepared_statements(monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", None)
    try:
        assert fetch_all("SELECT 1 AS ours, %(value)s::int", {"value": 2}) == [(1, 2)]
        assert plans() == 0
    finally:
        connection.close()


def test_a_statement_stays_prepared_after_rollbacks_errors_and_statements_of_psycopg():
    stack = make_stack()
    sql = "SELECT 1 AS ours, name FROM stacks WHERE id = %(id)s"
    undone(lambda: fetch_all(sql, {"id": stack.pk}))
    for _ in range(10):
        undone(lambda: connection.connection.execute("SELECT 1"))
    with pytest.raises(IntegrityError):
        fetch_all_once("INSERT INTO stacks (id) VALUES (%(id)s)", {"id": stack.pk})
    assert plans() == 1
    assert fetch_all(sql, {"id": stack.pk}) == [(1, stack.name)]


def test_a_statement_whose_columns_changed_is_prepared_again_after_one_error():
    sql = "SELECT * FROM planned"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE planned AS SELECT 1 AS one")
        assert fetch_all(sql, {}) == [(1,)]
        cursor.execute("ALTER TABLE planned ADD two integer")
    with pytest.raises(NotSupportedError):
        fetch_all(sql, {})
    assert fetch_all(sql, {}) == [(1, None)]


def test_a_statement_that_the_server_has_forgotten_is_prepared_again_after_one_error():
    sql = "SELECT 1 AS ours"
    assert fetch_all(sql, {}) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError, match="does not exist"):
        fetch_all(sql, {})
    assert fetch_all(sql, {}) == [(1,)]


def test_a_change_by_the_first_statement_of_a_transaction_is_undone_with_it():
    stack = make_stack()
    sql = "UPDATE stacks SET name = 'other' WHERE id = %(id)s"
    undone(lambda: fetch_all_once(sql, {"id": stack.pk}))
    stack.refresh_from_db()
    assert stack.name != "other"
    assert fetch_all_once(sql, {"id": stack.pk}) == []
    stack.refresh_from_db()
    assert stack.name == "other"


def test_a_session_that_refuses_a_prepared_change_because_it_only_reads_is_given_up():
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    with pytest.raises(InternalError, match="read-only"), transaction.atomic():
        fetch_all_once("DELETE FROM stacks", {})
    close_old_connections()
    assert fetch_all_once("DELETE FROM stacks", {}) == []
