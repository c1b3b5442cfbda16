"""Reading PostgreSQL's plans."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet


def analyzed(rows: QuerySet[Any]) -> dict[str, Any]:
    """The executed plan of a query, as EXPLAIN (ANALYZE, BUFFERS) reports it."""
    return analyzed_sql(*rows.query.sql_with_params())


def analyzed_sql(sql: str, parameters: Any) -> dict[str, Any]:
    """The same for a statement in SQL."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters)
        plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes, from the top down."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scanned_tables(plan: dict[str, Any]) -> set[str]:
    """The tables that were read completely."""
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def buffers(plan: dict[str, Any]) -> int:
    """Pages touched by the whole query."""
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
