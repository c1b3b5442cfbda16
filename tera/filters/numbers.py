"""Filters that take a number, or make one."""

import math
import re
from collections.abc import Mapping
from typing import Final

from tera.arguments import Arguments
from tera.errors import Failure, Fatal
from tera.filters.signature import FilterFunction
from tera.limits import Budget
from tera.values import MAX_I64, MAX_U64, MIN_I64, WHITE_SPACE, Value, float_text, is_number

_FLOAT = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)", re.I | re.A
)
_BASE_PREFIXES: Final = {2: "0b", 8: "0o", 16: "0x"}
_SIZES: Final = {
    False: ("B", "kB", "MB", "GB", "TB", "PB", "EB"),
    True: ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"),
}


def _abs(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    number = arguments.number_value(value)
    if number == MIN_I64 and type(number) is int:
        raise Fatal("The filter `abs` can not take the smallest integer: the result is out of range.")
    return abs(number)


def _pluralize(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    number = float(arguments.number_value(value))
    plural, singular = arguments.string("plural", "s"), arguments.string("singular", "")
    return plural if abs(abs(number) - 1.0) > math.ulp(1.0) else singular


def _power_of_ten(exponent: int) -> float:
    """Multiply as the compiled original does: its rounding shows in the last digit."""
    result, factor, left = 1.0, 10.0, abs(exponent)
    while left:
        if left & 1:
            result *= factor
        factor *= factor
        left >>= 1
    if exponent >= 0:
        return result
    return 1 / result if math.isfinite(result) else 0.0


def _half_away_from_zero(number: float) -> float:
    whole = math.trunc(number)
    if abs(number - whole) >= 0.5:
        whole += 1 if number > 0 else -1
    return math.copysign(float(whole), number)


def _ceiling(number: float) -> float:
    return math.copysign(float(math.ceil(number)), number)


def _floor(number: float) -> float:
    return math.copysign(float(math.floor(number)), number)


_METHODS: Final = {"common": _half_away_from_zero, "ceil": _ceiling, "floor": _floor}


def _round(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    number = float(arguments.number_value(value))
    method = _METHODS.get(arguments.string("method", "common"))
    precision = arguments.integer("precision", 0, low=-(2**31), high=2**31 - 1)
    if method is None:
        raise Failure("The filter `round` knows the methods `common`, `ceil` and `floor` only.")
    multiplier = _power_of_ten(precision)
    scaled = multiplier * number
    rounded = method(scaled) if math.isfinite(scaled) else scaled
    result = rounded / multiplier if multiplier else math.nan if rounded == 0 else math.inf
    # A number that is not finite has no JSON form and becomes null.
    return result if math.isfinite(result) else None


def _integer_text(text: str, base: int) -> int | None:
    """Read an integer of any base from 2 to 36; None when it is not one, or out of range."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    # Longer texts of digits are out of range in every base, unless they begin with zeros.
    digits = digits.lstrip("0") or digits[-1:]
    if not digits.isascii() or not digits.isalnum() or len(digits) > 64:
        return None
    try:
        number = int(digits, base)
    except ValueError:
        return None
    number = -number if text.startswith("-") else number
    return number if MIN_I64 <= number <= MAX_I64 else None


def _float_from(text: str) -> float | None:
    return float(text) if _FLOAT.fullmatch(text) else None


def _truncated(number: float) -> int:
    if math.isnan(number):
        return 0
    if math.isinf(number):
        return MAX_I64 if number > 0 else MIN_I64
    return max(MIN_I64, min(MAX_I64, int(number)))


def _int(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    default = arguments.integer("default", 0)
    base = arguments.integer("base", 10, low=0, high=2**32 - 1)
    if is_number(value):
        return _truncated(float(value))
    if not isinstance(value, str):
        raise arguments.value_failure(value, "a string or a number")
    if not 2 <= base <= 36:
        raise Fatal("The filter `int` needs a base from 2 to 36.")
    text = value.strip(WHITE_SPACE)
    if prefix := _BASE_PREFIXES.get(base):
        while text.startswith(prefix):
            text = text[2:]
    number = _integer_text(text, base)
    if number is not None:
        return number
    fraction = _float_from(text) if "." in text else None
    return default if fraction is None else _truncated(fraction)


def _float(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    default = arguments.number("default", 0.0)
    if is_number(value):
        return float(value)
    if not isinstance(value, str):
        raise arguments.value_failure(value, "a string or a number")
    number = _float_from(value.strip(WHITE_SPACE))
    result = default if number is None else number
    return result if math.isfinite(result) else None


def _filesizeformat(value: Value, arguments: Arguments, budget: Budget) -> Value:  # noqa: ARG001  (all alike)
    if type(value) is not int or not 0 <= value <= MAX_U64:
        raise arguments.value_failure(value, "an unsigned integer")
    units = _SIZES[arguments.boolean("binary")]
    size, unit = float(value), 0
    while size >= 1024 and unit < len(units) - 1:
        size /= 1024
        unit += 1
    text = float_text(size) if size.is_integer() else f"{size:.2f}"
    return f"{text} {units[unit]}"


NUMBER_FILTERS: Final[Mapping[str, FilterFunction]] = {
    "abs": _abs,
    "pluralize": _pluralize,
    "round": _round,
    "int": _int,
    "float": _float,
    "filesizeformat": _filesizeformat,
}
