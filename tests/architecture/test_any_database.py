"""Files for which any database will do say what they are about, and do not ask how the database answers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT

_MARK = "any_database"
# What asks how the database answers: its statements, their number, its transactions and its locks.
_MODULES = {"django.db", "django.test.utils", "psycopg", "tests.support.plans", "tests.support.threads"}
_NAMES = {"requires_postgres", "transactional_db", "transaction", "connection", "django_assert_num_queries"}


def _subjects(tree: ast.Module) -> list[str]:
    """What the marks among the file's `pytestmark` say."""
    return [
        node.args[0].value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark"
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == f"pytest.mark.{_MARK}"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def _asks_of_the_database(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _MODULES:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from _MODULES.intersection(alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg in _NAMES:
            yield node.arg


def _marked() -> dict[Path, ast.Module]:
    trees = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    return {
        path: ast.parse(source)
        for path, source in trees.items()
        if f"mark.{_MARK}" in source and path != Path(__file__)
    }


def test_each_says_once_for_the_whole_file_what_it_is_about():
    marked = _marked()
    assert marked
    assert {
        path.name: subjects for path, tree in marked.items() if len(subjects := _subjects(tree)) != 1
    } == {}


def test_none_asks_how_the_database_answers():
    assert {
        path.name: asked for path, tree in _marked().items() if (asked := [*_asks_of_the_database(tree)])
    } == {}


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("from django.db import connection", ["django.db"]),
        ("import psycopg", ["psycopg"]),
        ("@pytest.mark.requires_postgres\ndef test(): ...", ["requires_postgres"]),
        ("@pytest.mark.django_db(transaction=True)\ndef test(): ...", ["transaction"]),
        ("def test(transactional_db): ...", ["transactional_db"]),
        ("def test(admin): admin.get('/stacks')", []),
    ],
)
def test_asking_is_recognised(source, asked):
    assert list(_asks_of_the_database(ast.parse(source))) == asked
