"""Statements that a connection prepares once.

A cursor of psycopg works out at each run what is the same at each run of a statement. That takes more CPU time than
PostgreSQL needs for a short one.
"""

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.waiting import Wait

_PARAMETER = re.compile(r"%(?:\(([^)]*)\)s|%)")
_DONE = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
# PostgreSQL keeps a plan for each combination of types, and None and integers of each size have types of their own.
_MOST_PLANS = 8
# The plan no longer fits the tables, or the server has forgotten it.
_OUTDATED = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)
_numbers = count()


class Statement:
    """A statement of one connection, with `%(name)s` parameters, and `%%` for a percent sign."""

    def __init__(self, connection: psycopg.Connection[Any], sql: str, *, prepares: bool) -> None:
        self._connection = connection
        self._prepares = prepares
        self._transformer = Transformer(connection)
        self._parameters: list[str] = []
        self._text = _PARAMETER.sub(self._numbered, sql).encode()
        self._formats = [PyFormat.AUTO] * len(self._parameters)
        # The names under which it is prepared, by the types of its parameters.
        self._names: dict[tuple[int, ...], bytes] = {}

    def run(self, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Its rows, none if it returns no rows. The transaction must have begun. Raises psycopg's errors."""
        pgconn, transformer = self._connection.pgconn, self._transformer
        values = transformer.dump_sequence([parameters[name] for name in self._parameters], self._formats)
        types = transformer.types or ()
        name = self._names.get(types) or self._prepare(types)
        if name is None:
            pgconn.send_query_params(self._text, values, types, transformer.formats, Format.BINARY)
        else:
            pgconn.send_query_prepared(name, values, transformer.formats, Format.BINARY)
        result = self._result()
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple) if result.nfields else []

    def _prepare(self, types: tuple[int, ...]) -> bytes | None:
        if not self._prepares or len(self._names) == _MOST_PLANS:
            return None
        name = b"statement_%d" % next(_numbers)
        self._connection.pgconn.send_prepare(name, self._text, types)
        self._result()
        self._names[types] = name
        return name

    def _result(self) -> PGresult:
        try:
            result: PGresult = self._connection.wait(_answer(self._connection))
        except _OUTDATED:
            self._names.clear()
            raise
        return result

    def _numbered(self, parameter: re.Match[str]) -> str:
        name = parameter[1]
        if name is None:
            return "%"
        if name not in self._parameters:
            self._parameters.append(name)
        return f"${self._parameters.index(name) + 1}"


def _answer(connection: psycopg.Connection[Any]) -> PQGen[PGresult]:
    """Send the rest of the statement and receive its result, as psycopg's `wait` does it.

    It raises the server's error in there too, because the connection looks for some of them.
    """
    pgconn = connection.pgconn
    while pgconn.flush():
        yield Wait.RW
        pgconn.consume_input()
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        results.append(result)
    if results[-1].status not in _DONE:
        raise errors.error_from_result(results[-1], connection.info.encoding)
    return results[-1]
