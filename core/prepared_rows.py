"""Reads, inserts and updates rows of models with prepared statements, for the calls that come most often.

Django needs longer to build a query than the database needs to answer it, so here conditions are written in SQL. Rows
are instances of models. On SQLite, Django's queries are used.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, models
from psycopg.types.json import Jsonb

from core.prepared import fetch_all, fetch_all_once, is_postgresql, uuid_parameter

_Row = TypeVar("_Row", bound=models.Model)
# The condition for the live resource with the id.
LIVE_BY_ID = "id = %(id)s AND deleted_at IS NULL"


def among(column: str, name: str) -> str:
    """The condition that a column is one of the values in the parameter `name`, which `list_parameter` makes."""
    if is_postgresql():
        return f"{column} = ANY(%({name})s)"
    return f"{column} IN (SELECT value FROM json_each(%({name})s))"  # noqa: S608  no input in it


def list_parameter(values: Collection[UUID] | Collection[str] | Collection[int]) -> object:
    """UUIDs, texts or integers as a parameter for `among`."""
    if is_postgresql():
        return list(values)
    return json.dumps([uuid_parameter(value) if isinstance(value, UUID) else value for value in values])


def select(
    model: type[_Row],
    where: str,
    parameters: Mapping[str, object],
    *,
    columns: Collection[str] = (),
    lock: bool = False,
) -> list[_Row]:
    """The rows that meet a condition in SQL with `%(name)s` parameters, which may end with an ORDER BY.

    `lock` locks them like `select_for_update(no_key=True)`. With `columns`, only these are read. The model must not
    have columns of JSON.
    """
    statement = _select(model, where, frozenset(columns), lock)
    if not is_postgresql():
        return list(model._default_manager.raw(statement, cast(Any, parameters)))
    names = _names(model, frozenset(columns))
    return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in fetch_all(statement, parameters)]


def insert(
    rows: Sequence[_Row],
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
    referred: Sequence[Sequence[models.Model]] = (),
    question: str = "",
    facts: Mapping[str, object] = MappingProxyType({}),
) -> object:
    """Insert rows of one model, in a transaction, with one statement.

    If there is a row with the same values in the columns `unique`, set only its columns `update`. `referred` are rows
    of other models, each in a sequence of its own, to which the rows refer: those that are not there are inserted.
    Callers that insert the same rows at the same time wait for each other's commit; if all give them in the same order,
    no deadlock comes of it. `question` is an expression in SQL with the parameters `facts`, about the tables as they
    were before. Returns its value; None without a question or without rows.
    """
    if not rows:
        return None
    model = type(rows[0])
    referred = [others for others in referred if others]
    if not is_postgresql():
        answer = fetch_all_once(f"SELECT {question}", facts)[0][0] if question else None
        for others in referred:
            type(others[0])._default_manager.bulk_create(others, ignore_conflicts=True)
        conflict: Any = {"update_conflicts": True, "unique_fields": unique, "update_fields": update}
        model._default_manager.bulk_create(rows, **(conflict if update else {}))
        return answer
    fields = _inserted(model)
    parameters = dict(facts)
    if len(rows) == 1:
        for field in fields:
            parameters[f"new {field.column}"] = _adapted(field, getattr(rows[0], field.attname))
    else:
        parameters["new"] = _as_json(rows, fields)
    for number, others in enumerate(referred):
        parameters[f"missing {number}"] = _as_json(others, _inserted(type(others[0])))
    missing = tuple(type(others[0]) for others in referred)
    statement = _insert(
        model,
        single=len(rows) == 1,
        unique=tuple(unique),
        update=tuple(update),
        missing=missing,
        question=question,
    )
    inserted = fetch_all_once(statement, parameters)
    for row, (key, _) in zip(rows, inserted, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return inserted[0][1]


def _as_json(rows: Sequence[models.Model], fields: Sequence[Any]) -> str:
    """One parameter for all rows, which PostgreSQL splits; it costs less than an array for each column."""
    objects = [{field.column: getattr(row, field.attname) for field in fields} for row in rows]
    return orjson.dumps(objects, option=orjson.OPT_NON_STR_KEYS).decode()


def update(model: type[models.Model], changes: str, where: str, parameters: Mapping[str, object]) -> None:
    """Change the rows that meet a condition.

    Changes and condition are SQL with `%(name)s` parameters, such as `count = count + %(times)s`.
    """
    fetch_all_once(f"UPDATE {model._meta.db_table} SET {changes} WHERE {where}", parameters)  # noqa: S608  no input in it


@cache
def _names(model: type[models.Model], columns: frozenset[str]) -> list[str]:
    fields = model._meta.concrete_fields
    return [field.attname for field in fields if not columns or field.attname in columns]


@cache
def _select(model: type[models.Model], where: str, columns: frozenset[str], lock: bool) -> str:  # noqa: FBT001
    names = set(_names(model, columns))
    listed = ", ".join(str(field.column) for field in model._meta.concrete_fields if field.attname in names)
    locked = " FOR NO KEY UPDATE" if lock and is_postgresql() else ""
    return f"SELECT {listed} FROM {model._meta.db_table} WHERE {where}{locked}"  # noqa: S608  no input in it


@cache
def _inserted(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


@cache
def _insert(
    model: type[models.Model],
    *,
    single: bool,
    unique: Sequence[str],
    update: Sequence[str],
    missing: Sequence[type[models.Model]],
    question: str,
) -> str:
    fields = _inserted(model)
    columns = ", ".join(field.column for field in fields)
    values = ", ".join(f"%(new {field.column})s" for field in fields)
    source = f"VALUES ({values})" if single else _rows_of_json(model, columns, "new")
    conflict = ""
    if update:
        places, changes = _columns(model, unique), _columns(model, update)
        renewed = ", ".join(f"{column} = EXCLUDED.{column}" for column in changes)
        conflict = f" ON CONFLICT ({', '.join(places)}) DO UPDATE SET {renewed}"
    # PostgreSQL checks references when the whole statement has ended.
    parts = ", ".join(
        f"missing_{number} AS ({_insert_missing(other, number)})" for number, other in enumerate(missing)
    )
    return (
        f"{'WITH ' if parts else ''}{parts} "
        f"INSERT INTO {model._meta.db_table} ({columns}) {source}{conflict} "
        f"RETURNING {model._meta.pk.column}, {question or 'NULL'}"
    )


def _insert_missing(model: type[models.Model], number: int) -> str:
    columns = ", ".join(field.column for field in _inserted(model))
    source = _rows_of_json(model, columns, f"missing {number}")
    return f"INSERT INTO {model._meta.db_table} ({columns}) {source} ON CONFLICT DO NOTHING"


def _rows_of_json(model: type[models.Model], columns: str, name: str) -> str:
    return f"SELECT {columns} FROM json_populate_recordset(NULL::{model._meta.db_table}, %({name})s::json)"  # noqa: S608


def _columns(model: type[models.Model], names: Sequence[str]) -> list[str]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [field.column for field in fields]


def _adapted(field: Any, value: Any) -> object:
    return Jsonb(value, orjson.dumps) if value is not None and isinstance(field, models.JSONField) else value
