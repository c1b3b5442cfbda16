"""The tests of a template: what may follow `is`."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from tera.errors import Failure, Fatal
from tera.limits import Budget
from tera.paths import Missing
from tera.patterns import matches
from tera.values import Value, describe, holds, is_number

Tester = Callable[[Value | Missing, list[Value], Budget], bool]
_Check = Callable[[Value, list[Value], Budget], bool]


def _tester(name: str, check: _Check, arguments: int = 0) -> Tester:
    """Make a tester of `check`, which is called only for defined values and not too many arguments."""

    def test(value: Value | Missing, given: list[Value], budget: Budget) -> bool:
        _count(name, given, arguments)
        if isinstance(value, Missing):
            raise Failure(f"The test `{name}` needs a variable that is defined.")
        return check(value, given, budget)

    return test


def _count(name: str, given: list[Value], allowed: int) -> None:
    if len(given) > allowed:
        raise Failure(f"The test `{name}` takes {allowed or 'no'} argument{'s' if not allowed else ''}.")


def _defined(value: Value | Missing, given: list[Value], budget: Budget) -> bool:  # noqa: ARG001  (all alike)
    _count("defined", given, 0)
    return not isinstance(value, Missing)


def _undefined(value: Value | Missing, given: list[Value], budget: Budget) -> bool:  # noqa: ARG001  (all alike)
    _count("undefined", given, 0)
    return isinstance(value, Missing)


def _number(name: str, value: Value) -> float:
    if not is_number(value):
        raise Failure(f"The test `{name}` needs a number, not {describe(value)}.")
    return float(value)


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise Failure(f"The test `{name}` needs a string, not {describe(value)}.")
    return value


def _text_argument(name: str, given: list[Value]) -> str:
    if not given:
        raise Failure(f"The test `{name}` needs an argument.")
    return _text(name, given[0])


def _divisible(value: Value, given: list[Value], budget: Budget) -> bool:  # noqa: ARG001  (all alike)
    number = _number("divisibleby", value)
    if not given:
        raise Failure("The test `divisibleby` needs an argument.")
    divisor = _number("divisibleby", given[0])
    return divisor != 0 and math.fmod(number, divisor) == 0


def _containing(value: Value, given: list[Value], budget: Budget) -> bool:
    if isinstance(value, list):
        if not given:
            raise Fatal("The test `containing` needs an argument.")
        return holds(value, given[0], budget)
    if not isinstance(value, str | dict):
        raise Failure(f"The test `containing` needs a string, an array or an object, not {describe(value)}.")
    return _text_argument("containing", given) in value


def _matching(value: Value, given: list[Value], budget: Budget) -> bool:
    text = _text("matching", value)
    return matches(_text_argument("matching", given), text, budget)


TESTERS: Final[Mapping[str, Tester]] = {
    "defined": _defined,
    "undefined": _undefined,
    "odd": _tester("odd", lambda value, _given, _budget: math.fmod(_number("odd", value), 2) != 0),
    "even": _tester("even", lambda value, _given, _budget: math.fmod(_number("even", value), 2) == 0),
    "string": _tester("string", lambda value, _given, _budget: isinstance(value, str)),
    "number": _tester("number", lambda value, _given, _budget: is_number(value)),
    "divisibleby": _tester("divisibleby", _divisible, arguments=1),
    "iterable": _tester("iterable", lambda value, _given, _budget: isinstance(value, list | dict)),
    "object": _tester("object", lambda value, _given, _budget: isinstance(value, dict)),
    "starting_with": _tester(
        "starting_with",
        lambda value, given, _budget: _text("starting_with", value).startswith(
            _text_argument("starting_with", given)
        ),
        arguments=1,
    ),
    "ending_with": _tester(
        "ending_with",
        lambda value, given, _budget: _text("ending_with", value).endswith(
            _text_argument("ending_with", given)
        ),
        arguments=1,
    ),
    "containing": _tester("containing", _containing, arguments=1),
    "matching": _tester("matching", _matching, arguments=1),
}
