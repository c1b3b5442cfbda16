"""Reads, inserts and updates rows of models with prepared statements, for the calls that come most often.

Django needs longer to build a query than the database needs to answer it, so here conditions are written in SQL. Rows
are instances of models. On SQLite, Django's queries are used.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.expressions import RawSQL
from psycopg.types.json import Jsonb

from core.prepared import Row, fetch_all, fetch_all_once, fetch_one, is_postgresql, uuid_parameter

_Row = TypeVar("_Row", bound=models.Model)
_PARAMETER = re.compile(r"%\(([^)]*)\)s")
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


def one_of(values: Collection[UUID]) -> RawSQL:
    """The same for `in` in a queryset. Django would make a parameter of each of thousands of values."""
    if not is_postgresql():
        return RawSQL("SELECT value FROM json_each(%s)", [list_parameter(values)])
    # As one text. Of an array, the driver quotes each value by itself, which takes longer than the query.
    return RawSQL("SELECT unnest(%s::uuid[])", [f"{{{','.join([value.hex for value in values])}}}"])


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


def select_joined(
    joined: Mapping[str, type[models.Model]], source: str, parameters: Mapping[str, object]
) -> dict[str, list[models.Model]]:
    """The rows of several models that a FROM clause in SQL joins, by the name of each in this clause.

    A row is there once, and no row stands for a missing one. The models must not have columns of JSON.
    """
    if not is_postgresql():
        return {
            name: select(model, f"id IN (SELECT {name}.id FROM {source})", parameters)  # noqa: S608  no input in it
            for name, model in joined.items()
        }
    found: dict[str, dict[object, models.Model]] = {name: {} for name in joined}
    for values in fetch_all(_select_joined(tuple(joined.items()), source), parameters):
        end = 0
        for name, model in joined.items():
            names = _names(model, frozenset())
            start, end = end, end + len(names)
            row = model.from_db(DEFAULT_DB_ALIAS, names, values[start:end])
            if row.pk is not None:
                found[name][row.pk] = row
    return {name: list(rows.values()) for name, rows in found.items()}


@dataclass(slots=True)
class AskedRow:
    """A live resource that `fetch_with` reads beside another row; None if there is none."""

    model: type[models.Model]
    id: UUID
    row: models.Model | None = None


def fetch_with(
    asked: AskedRow | None, columns: str, table: str, where: str, parameters: Mapping[str, object]
) -> Row | None:
    """The columns of the first row that meets a condition, and in `asked` the resource, by one statement.

    Columns and condition name the table. The resource is not read without such a row. Its model must not have columns
    of JSON.
    """
    if asked is None or not is_postgresql():
        first = fetch_one(_one(columns, table, where), parameters)
        if asked is not None and first is not None:
            asked.row = next(iter(select(asked.model, LIVE_BY_ID, {"id": uuid_parameter(asked.id)})), None)
        return first
    first = fetch_one(_one_with(asked.model, columns, table, where), {**parameters, "asked": asked.id})
    if first is None:
        return None
    names = _names(asked.model, frozenset())
    row = asked.model.from_db(DEFAULT_DB_ALIAS, names, first[-len(names) :])
    asked.row = None if row.pk is None else row
    return first[: -len(names)]


@dataclass(frozen=True, slots=True)
class Insert:
    """What `insert` does with these arguments."""

    rows: Sequence[models.Model]
    unique: Sequence[str] = ()
    update: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """What `update` does with these arguments."""

    model: type[models.Model]
    changes: str
    where: str
    parameters: Mapping[str, object]


def write(*changes: Insert | Update) -> None:
    """Make changes of different rows, in a transaction, with one statement. No change sees another one."""
    changes = tuple(change for change in changes if isinstance(change, Update) or change.rows)
    if not is_postgresql():
        for change in changes:
            if isinstance(change, Insert):
                insert(change.rows, unique=change.unique, update=change.update)
            else:
                update(change.model, change.changes, change.where, change.parameters)
        return
    statements: list[str] = []
    parameters: dict[str, object] = {}
    for number, change in enumerate(changes):
        values: Mapping[str, object]
        if isinstance(change, Insert):
            statement, values = _inserting(change)
        else:
            statement, values = _update(change.model, change.changes, change.where), change.parameters
        statements.append(statement)
        parameters |= {f"{name} {number}": value for name, value in values.items()}
    if statements:
        fetch_all_once(_together(tuple(statements)), parameters)
    for change in changes:
        for row in change.rows if isinstance(change, Insert) else ():
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


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
    missing = tuple(type(others[0]) for others in referred)
    statement, parameters = _inserting(Insert(rows, unique, update), missing=missing, question=question)
    parameters |= facts
    for number, others in enumerate(referred):
        parameters[f"missing {number}"] = _as_json(others, _inserted(type(others[0])))
    inserted = fetch_all_once(statement, parameters)
    for row, (key, _) in zip(rows, inserted, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return inserted[0][1]


def _inserting(
    change: Insert, *, missing: Sequence[type[models.Model]] = (), question: str = ""
) -> tuple[str, dict[str, object]]:
    """The statement, and the parameters of the rows."""
    rows = change.rows
    fields = _inserted(type(rows[0]))
    if len(rows) == 1:
        parameters = {
            f"new {field.column}": _adapted(field, getattr(rows[0], field.attname)) for field in fields
        }
    else:
        parameters = {"new": _as_json(rows, fields)}
    statement = _insert(
        type(rows[0]),
        single=len(rows) == 1,
        unique=tuple(change.unique),
        update=tuple(change.update),
        missing=tuple(missing),
        question=question,
    )
    return statement, parameters


def _as_json(rows: Sequence[models.Model], fields: Sequence[Any]) -> str:
    """One parameter for all rows, which PostgreSQL splits; it costs less than an array for each column."""
    objects = [{field.column: getattr(row, field.attname) for field in fields} for row in rows]
    return orjson.dumps(objects, option=orjson.OPT_NON_STR_KEYS).decode()


def update(model: type[models.Model], changes: str, where: str, parameters: Mapping[str, object]) -> None:
    """Change the rows that meet a condition.

    Changes and condition are SQL with `%(name)s` parameters, such as `count = count + %(times)s`.
    """
    fetch_all_once(_update(model, changes, where), parameters)


@cache
def _update(model: type[models.Model], changes: str, where: str) -> str:
    return f"UPDATE {model._meta.db_table} SET {changes} WHERE {where}"  # noqa: S608  no input in it


@cache
def _together(statements: Sequence[str]) -> str:
    """One statement that makes several changes. Each has its number after the names of its parameters."""
    parts = []
    for number, statement in enumerate(statements):
        numbered = _PARAMETER.sub(rf"%(\1 {number})s", statement)
        parts.append(f"change_{number} AS ({numbered})")
    return f"WITH {', '.join(parts)} SELECT NULL"


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
def _one(columns: str, table: str, where: str) -> str:
    return f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608  no input in it


@cache
def _one_with(model: type[models.Model], columns: str, table: str, where: str) -> str:
    listed = ", ".join(f"asked.{field.column}" for field in model._meta.concrete_fields)
    joined = f"{model._meta.db_table} asked ON asked.id = %(asked)s AND asked.deleted_at IS NULL"
    return f"SELECT {columns}, {listed} FROM {table} LEFT JOIN {joined} WHERE {where}"  # noqa: S608  no input in it


@cache
def _select_joined(joined: Sequence[tuple[str, type[models.Model]]], source: str) -> str:
    listed = ", ".join(
        f"{name}.{field.column}" for name, model in joined for field in model._meta.concrete_fields
    )
    return f"SELECT {listed} FROM {source}"  # noqa: S608  no input in it


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
