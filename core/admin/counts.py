"""Row counts for pages: exact while counting is cheap, else marked as a limit or an estimate."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

CAP = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """`is_exact` is false for "that many or more"; `is_estimate` for "about that many"."""

    value: int
    is_exact: bool = True
    is_estimate: bool = False

    def __str__(self) -> str:
        if self.is_estimate:
            return f"≈ {self.value:,}"
        return f"{self.value:,}" if self.is_exact else f"{self.value:,}+"


def capped_count(rows: QuerySet[Any], cap: int = CAP) -> Count:
    """The number of rows, up to `cap`. One query, which reads no more rows than that."""
    found = rows.order_by().values("pk")[: cap + 1].count()
    return Count(min(found, cap), found <= cap)


def table_count(model: type[Model]) -> Count:
    """The number of rows of a table; for a large one PostgreSQL's estimate. Two queries, one on SQLite."""
    counted = capped_count(model._default_manager.all())
    if connection.vendor != "postgresql":
        return counted
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        row = cursor.fetchone()
    estimate = int(row[0]) if row else 0
    # The table was never analysed, or was small at that time.
    if counted.is_exact or estimate < counted.value:
        return counted
    return Count(estimate, is_exact=False, is_estimate=True)
