"""Filters that take values of several types."""

from collections.abc import Mapping
from typing import Final

from tera.arguments import Arguments
from tera.errors import Failure
from tera.filters.signature import FilterFunction
from tera.limits import Budget
from tera.values import Value, to_json, to_pretty_json, to_text


def _length(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    if not isinstance(value, str | list | dict):
        raise arguments.value_failure(value, "a string, an array or an object")
    return len(value)


def _reverse(value: Value, arguments: Arguments, budget: Budget) -> Value:
    if isinstance(value, str):
        return value[::-1]
    if not isinstance(value, list):
        raise arguments.value_failure(value, "a string or an array")
    budget.items(len(value))
    return value[::-1]


def _json_encode(value: Value, arguments: Arguments, budget: Budget) -> Value:
    if arguments.any("pretty") is True:
        return to_pretty_json(value, budget)
    return to_json(value, budget)


def _as_str(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    return to_text(value, budget)


def _get(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    key = arguments.string("key")
    if not isinstance(value, dict):
        raise arguments.value_failure(value, "an object")
    if key in value:
        return value[key]
    if "default" in arguments:
        return arguments.any("default")
    raise Failure(f"The filter `get` finds no key `{key[:60]}`.")


COMMON_FILTERS: Final[Mapping[str, FilterFunction]] = {
    "length": _length,
    "reverse": _reverse,
    "json_encode": _json_encode,
    "as_str": _as_str,
    "get": _get,
}
