"""Values of the template language: JSON data, checked once, and how it prints and compares."""

import json
import math
from decimal import Decimal
from typing import TypeAlias, TypeGuard, Union

from tera import limits
from tera.errors import Failure, OverBudget
from tera.limits import Budget

Value: TypeAlias = Union[bool, int, float, str, "list[Value]", "dict[str, Value]", None]

MIN_I64 = -(2**63)
MAX_I64 = 2**63 - 1
MAX_U64 = 2**64 - 1

# Unicode White_Space; `str.isspace` would add the separators U+001C to U+001F.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


# If the text of a float is shorter than this, no other text of the same length is equally near.
_SURE_DIGITS = 15


def is_number(value: Value) -> TypeGuard[int | float]:
    """Tell numbers from everything else; to the template language a bool is not a number."""
    kind = type(value)
    return kind is int or kind is float


def context_from(parameters: object) -> dict[str, Value]:
    """Return the parameters as plain values, object members sorted by name.

    Anything but an object gives an empty context. Raises Failure for what JSON cannot carry and
    OverBudget for more than a rendering may hold.
    """
    if not isinstance(parameters, dict):
        return {}
    context = _Reader().read(parameters, depth=0)
    assert isinstance(context, dict)  # noqa: S101  (narrows the type: `read` maps a dict to a dict)
    return context


def plain_value(value: object) -> Value:
    """Return a copy of `value` in plain JSON values. Raises Failure as `context_from` does."""
    return _Reader().read(value, depth=0)


class _Reader:
    """Copies parameters, so that no object of ours and no shared structure reaches a template."""

    def __init__(self) -> None:
        self._values = 0
        self._characters = 0

    def read(self, value: object, depth: int) -> Value:
        self._values += 1
        if self._values > limits.MAX_PARAMETER_VALUES:
            raise OverBudget(f"The parameters hold more than {limits.MAX_PARAMETER_VALUES} values.")
        if type(value) is str:
            self._characters += len(value)
            if self._characters > limits.MAX_PARAMETER_CHARACTERS or not value.isascii():
                self._check(value)
            return value
        if value is None or type(value) is bool:
            return value
        if type(value) is int or type(value) is float:
            return _number_from(value)
        if depth >= limits.MAX_VALUE_DEPTH:
            raise OverBudget(f"The parameters are nested deeper than {limits.MAX_VALUE_DEPTH} levels.")
        if type(value) is list:
            return [self.read(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._object(value, depth)
        raise Failure(f"The parameters hold a {type(value).__name__}, which is not JSON.")

    def _object(self, members: dict[object, object], depth: int) -> dict[str, Value]:
        keys = []
        for key in members:
            if type(key) is not str:
                raise Failure("The parameters hold an object with a key that is not a string.")
            self._characters += len(key)
            if self._characters > limits.MAX_PARAMETER_CHARACTERS or not key.isascii():
                self._check(key)
            keys.append(key)
        keys.sort()
        read = self.read
        return {key: read(members[key], depth + 1) for key in keys}

    def _check(self, text: str) -> None:
        if self._characters > limits.MAX_PARAMETER_CHARACTERS:
            raise OverBudget(
                f"The parameters hold more than {limits.MAX_PARAMETER_CHARACTERS} characters of text."
            )
        if not text.isascii() and not is_unicode(text):
            raise Failure("The parameters hold half of a surrogate pair, which is not Unicode text.")


def is_unicode(text: str) -> bool:
    """Tell whether `text` can be written as UTF-8, which lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number_from(number: int | float) -> int | float:
    if type(number) is int and not MIN_I64 <= number <= MAX_U64:
        try:
            return float(number)
        except OverflowError:
            raise Failure("The parameters hold a number that is out of range.") from None
    if not math.isfinite(number):
        raise Failure("The parameters hold a number that is not finite.")
    return number


def to_text(value: Value, budget: Budget) -> str:
    """Return `value` as it looks when printed."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    if isinstance(value, list):
        budget.step(len(value))
        pieces = [to_text(item, budget) for item in value]
        budget.string(sum(map(len, pieces)) + 2 * len(pieces) + 2)
        return "[" + ", ".join(pieces) + "]"
    if isinstance(value, dict):
        return "[object]"
    return _scalar_text(value)


def _scalar_text(value: bool | int | float | None) -> str:  # noqa: FBT001  (one value of several types)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return float_text(value) if isinstance(value, float) else str(value)


def float_text(number: float) -> str:
    """Return the shortest digits that mean `number`, without an exponent and without `.0`."""
    text = repr(number)
    if len(text) > _SURE_DIGITS:
        text = _tie_rounded_up(number, Decimal(text))
    elif "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def _tie_rounded_up(number: float, shortest: Decimal) -> str:
    """If two texts are equally short and equally near, return the larger one. Python returns the even one."""
    last_place = Decimal((0, (1,), int(shortest.as_tuple().exponent)))
    exact = Decimal(number)
    if abs(exact - shortest) * 2 == last_place and abs(exact) > abs(shortest):
        larger = shortest + last_place.copy_sign(shortest)
        if float(larger) == number:
            shortest = larger
    return format(shortest, "f")


def number_json(number: int | float) -> str:
    """Return `number` as JSON text: an exponent only for very large and very small ones."""
    text = repr(number)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    if exponent == "-05":
        return format(Decimal(text), "f")
    return f"{mantissa}e{int(exponent):+}"


def to_json(value: Value, budget: Budget) -> str:
    """Return `value` as compact JSON text."""
    if isinstance(value, list):
        budget.step(len(value))
        pieces = [to_json(item, budget) for item in value]
    elif isinstance(value, dict):
        budget.step(len(value))
        pieces = [f"{scalar_json(key)}:{to_json(item, budget)}" for key, item in value.items()]
    else:
        return scalar_json(value)
    budget.string(sum(map(len, pieces)) + len(pieces) + 2)
    body = ",".join(pieces)
    return f"[{body}]" if isinstance(value, list) else f"{{{body}}}"


def to_pretty_json(value: Value, budget: Budget, indent: str = "") -> str:
    """Return `value` as JSON text over several lines, two spaces a level."""
    inner = indent + "  "
    if isinstance(value, list):
        budget.step(len(value))
        pieces = [inner + to_pretty_json(item, budget, inner) for item in value]
        opening, closing = "[", "]"
    elif isinstance(value, dict):
        budget.step(len(value))
        pieces = [
            f"{inner}{scalar_json(key)}: {to_pretty_json(item, budget, inner)}" for key, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        return scalar_json(value)
    if not pieces:
        return opening + closing
    budget.string(sum(map(len, pieces)) + 2 * len(pieces) + len(indent) + 3)
    return opening + "\n" + ",\n".join(pieces) + "\n" + indent + closing


def scalar_json(value: Value) -> str:
    """Return a string, number, bool or null as JSON text."""
    if is_number(value):
        return number_json(value)
    return json.dumps(value, ensure_ascii=False)


def describe(value: Value) -> str:
    """Return a short form of `value` for an error message."""
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    text = scalar_json(value[:60] if isinstance(value, str) else value)
    return f"`{text}`"


def is_truthy(value: Value) -> bool:
    """Zero, the empty string, array and object, null and false are false."""
    return bool(value)


def same(left: Value, right: Value, budget: Budget) -> bool:
    """Compare without conversion: 1 and 1.0 differ, and so do 1 and true."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        budget.step(min(len(left), len(right)))
        return len(left) == len(right) and all(
            same(one, other, budget) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        budget.step(min(len(left), len(right)))
        return left.keys() == right.keys() and all(same(left[key], right[key], budget) for key in left)
    return left == right


def holds(container: list[Value], wanted: Value, budget: Budget) -> bool:
    """Tell whether an element of `container` is the same as `wanted`."""
    budget.step(len(container) >> 3)
    return any(same(item, wanted, budget) for item in container)


def charge_copy(value: Value, budget: Budget) -> None:
    """Account for `value` as a part of a new value, as if all of it were copied.

    The values share their parts, so they need less memory, but later work on the result does take as long. Counting
    the copies limits the growth of values that contain each other many times.
    """
    if isinstance(value, list | dict):
        _charge_members(value, budget, depth=2)


def _charge_members(value: "list[Value] | dict[str, Value]", budget: Budget, depth: int) -> None:
    if depth > limits.MAX_VALUE_DEPTH:
        raise OverBudget(f"A value is nested deeper than {limits.MAX_VALUE_DEPTH} levels.")
    budget.items(len(value))
    budget.step(len(value))
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, list | dict):
            _charge_members(item, budget, depth + 1)
