"""Only `agents/wanted` knows, in SQL, the tables that associate agents with stacks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from agents.models import (
    AgentAnnotation,
    AgentAnnotationHistory,
    AgentLabel,
    AgentLabelHistory,
    AgentTarget,
    Registration,
    RegistrationHistory,
    TargetHistory,
)
from stacks.models import StackAnnotation, StackAnnotationHistory, StackLabel, StackLabelHistory
from tests.support.source import product_modules

TABLES = {
    model._meta.db_table
    for model in (
        AgentTarget,
        AgentLabel,
        AgentAnnotation,
        StackLabel,
        StackAnnotation,
        Registration,
        TargetHistory,
        AgentLabelHistory,
        AgentAnnotationHistory,
        StackLabelHistory,
        StackAnnotationHistory,
        RegistrationHistory,
    )
}
HOME = "agents.wanted"
# Whole names: a constraint may be called after its table.
_TABLE = re.compile(rf"\b({'|'.join(sorted(TABLES))})\b")


def tables_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each table in the literals of a module, but for docstrings and a model's own `db_table`."""
    tree = ast.parse(source)
    passed_over: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed_over.add(node.value)
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["db_table"]:
            passed_over.add(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in passed_over:
            for found in _TABLE.finditer(node.value):
                yield node.lineno, found[1]


def test_no_statement_elsewhere_names_the_tables_of_association():
    strangers = [
        f"{module.__name__}:{line} names {table}"
        for module in product_modules()
        if not f"{module.__name__}.".startswith(f"{HOME}.")
        for line, table in tables_in(Path(module.__file__).read_text(encoding="utf-8"))
    ]
    assert not strangers, (
        "\n".join(strangers)
        + "\nWho serves what is said once, in agents/wanted. Build the statement from its pieces: "
        "legs.py for stacks and agents, words.py for what an agent carries, ties.py for querysets."
    )


def test_the_guard_sees_sql_and_passes_over_models_and_prose():
    source = '''"""About agent_labels."""
class Model:
    db_table = "agent_targets"
    name = "agent_labels_agent_id_label_key"
_SQL = "SELECT 1 FROM stack_labels sl"
_MORE = f"JOIN agent_annotations aa ON {1}"
'''
    assert list(tables_in(source)) == [(5, "stack_labels"), (6, "agent_annotations")]


def test_the_home_is_where_the_tables_are():
    homes = [module for module in product_modules() if f"{module.__name__}.".startswith(f"{HOME}.")]
    named = {table for module in homes for _, table in tables_in(Path(module.__file__).read_text("utf-8"))}
    assert named == TABLES
