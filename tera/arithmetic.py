"""Arithmetic and comparison of numbers: with 64-bit integers if both sides are integers, otherwise with floats."""

import math
from collections.abc import Callable
from typing import Final

from tera.errors import Failure, Fatal
from tera.values import MAX_I64, MAX_U64, MIN_I64

Number = int | float


def _checked(left: Number, right: Number, sign: str, integer: Callable[[int, int], int]) -> int | None:
    """Apply `integer` if both sides are integers of one kind; return None if floats must be used."""
    if type(left) is not int or type(right) is not int:
        return None
    if left <= MAX_I64 and right <= MAX_I64:
        low, high = MIN_I64, MAX_I64
    elif left >= 0 and right >= 0:
        low, high = 0, MAX_U64
    else:
        return None
    result = integer(left, right)
    if not low <= result <= high:
        raise Failure(f"{left} {sign} {right} is out of the range of 64-bit integers.")
    return result


def _finite(result: float) -> float:
    if not math.isfinite(result):
        raise Fatal("The result of the arithmetic is out of range.")
    return result


def _add(left: Number, right: Number) -> Number | None:
    whole = _checked(left, right, "+", int.__add__)
    return _finite(float(left) + float(right)) if whole is None else whole


def _subtract(left: Number, right: Number) -> Number | None:
    whole = _checked(left, right, "-", int.__sub__)
    return _finite(float(left) - float(right)) if whole is None else whole


def _multiply(left: Number, right: Number) -> Number | None:
    whole = _checked(left, right, "*", int.__mul__)
    if whole is not None:
        return whole
    result = float(left) * float(right)
    return result if math.isfinite(result) else None


def _divide(left: Number, right: Number) -> Number | None:
    if right == 0:
        return None
    result = float(left) / float(right)
    if not math.isfinite(result):
        return None
    if result.is_integer():
        return max(MIN_I64, min(MAX_I64, int(result)))
    return result


def _remainder_of(left: int, right: int) -> int:
    if right == 0:
        raise Failure("There is no remainder of a division by zero.")
    if right == -1 and left == MIN_I64:
        raise Fatal("The result of the arithmetic is out of range.")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _remainder(left: Number, right: Number) -> Number | None:
    whole = _checked(left, right, "%", _remainder_of)
    if whole is not None:
        return whole
    return math.fmod(float(left), float(right)) if right != 0 else None


_OPERATIONS: Final = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder}


def calculate(operator: str, left: Number, right: Number) -> Number | None:
    """Apply an arithmetic operator. None stands for a result that is not a number."""
    return _OPERATIONS[operator](left, right)


def compare(operator: str, left: Number, right: Number) -> bool:
    """Compare two numbers as floats, so that very large numbers next to each other are equal."""
    one, other = float(left), float(right)
    if operator == "<":
        return one < other
    if operator == "<=":
        return one <= other
    if operator == ">":
        return one > other
    return one >= other
