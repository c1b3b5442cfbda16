"""The nodes of expressions that have other expressions as operands of an operator."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tera.arithmetic import calculate, compare
from tera.errors import Failure, Fatal
from tera.expressions import (
    Expression,
    Filter,
    Literal,
    Path,
    holds_without_failing,
    is_variable,
)
from tera.values import (
    Value,
    describe,
    float_text,
    holds,
    is_number,
    is_truthy,
    number_json,
    same,
)

if TYPE_CHECKING:
    from tera.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Concatenation(Expression):
    parts: tuple[Expression, ...]

    def evaluate(self, runtime: "Runtime") -> Value:
        text = "".join([self._text(part, runtime) for part in self.parts])
        runtime.budget.string(len(text))
        return text

    @staticmethod
    def _text(part: Expression, runtime: "Runtime") -> str:
        value = part.evaluate(runtime)
        if type(value) is str:
            return value
        if not is_number(value):
            raise Failure(
                f"Only strings and numbers can be concatenated, not {describe(value)}.", part.position
            )
        # A literal 1.0 is written `1` here, a variable holding 1.0 is written `1.0`.
        if type(part) is Literal and type(value) is float:
            return float_text(value)
        return number_json(value)


def _text_truth(value: Value, position: int) -> bool:
    if not isinstance(value, str):
        raise Fatal("A concatenation used as a condition must stay a string.", position)
    return value != ""


@dataclass(frozen=True, slots=True)
class Filtered(Expression):
    operand: Expression
    filters: tuple[Filter, ...]

    def evaluate(self, runtime: "Runtime") -> Value:
        value = self.operand.evaluate(runtime)
        for step in self.filters:
            value = step.apply(value, runtime)
        return value

    def truth(self, runtime: "Runtime") -> bool:
        if is_variable(self.operand):
            return holds_without_failing(self, runtime)
        if type(self.operand) is Concatenation:
            return _text_truth(self.evaluate(runtime), self.position)
        # As a condition, only variables and concatenations have their filters applied.
        return self.operand.truth(runtime)


@dataclass(frozen=True, slots=True)
class Arithmetic(Expression):
    """Operations of one precedence, applied from left to right."""

    first: Expression
    steps: tuple[tuple[str, Expression], ...]

    def evaluate(self, runtime: "Runtime") -> Value:
        result = self.number(runtime)
        return "NaN" if result is None else result

    def truth(self, runtime: "Runtime") -> bool:
        return bool(self.number(runtime))

    def number(self, runtime: "Runtime") -> int | float | None:
        result = self.first.number(runtime)
        runtime.budget.step(len(self.steps))
        for operator, operand in self.steps:
            right = operand.number(runtime)
            if result is None or right is None:
                result = None
                continue
            try:
                result = calculate(operator, result, right)
            except Failure as failure:
                failure.locate(self.position)
                raise
        return result


@dataclass(frozen=True, slots=True)
class Ordering(Expression):
    operator: str
    left: Expression
    right: Expression

    def evaluate(self, runtime: "Runtime") -> bool:
        left, right = self.left.number(runtime), self.right.number(runtime)
        if left is None or right is None:
            raise Failure("What is not a number can not be compared.", self.position)
        return compare(self.operator, left, right)


@dataclass(frozen=True, slots=True)
class Equality(Expression):
    left: Expression
    right: Expression
    negated: bool

    def evaluate(self, runtime: "Runtime") -> bool:
        return self.compared(runtime) is True

    def compared(self, runtime: "Runtime") -> bool | None:
        """Tell whether the comparison is true; None if only one side is a number.

        Then both `==` and `!=` are false as a condition, even with `not` before them.
        """
        left, right = self.left.evaluate(runtime), self.right.evaluate(runtime)
        if is_number(left) and is_number(right):
            return (float(left) == float(right)) is not self.negated
        if is_number(left) or is_number(right):
            return None
        return same(left, right, runtime.budget) is not self.negated


@dataclass(frozen=True, slots=True)
class Membership(Expression):
    needle: Expression
    container: Expression
    negated: bool

    def evaluate(self, runtime: "Runtime") -> bool:
        needle, container = self.needle.evaluate(runtime), self.container.evaluate(runtime)
        if isinstance(container, list):
            return holds(container, needle, runtime.budget) is not self.negated
        if not isinstance(container, str | dict):
            raise Failure("The operator `in` needs a string, an array or an object.", self.position)
        if not isinstance(needle, str):
            raise Failure(
                f"Only a string can be in a string or an object, not {describe(needle)}.", self.position
            )
        return (needle in container) is not self.negated


@dataclass(frozen=True, slots=True)
class Not(Expression):
    operand: Expression

    def evaluate(self, runtime: "Runtime") -> bool:
        variable = self.operand.operand if type(self.operand) is Filtered else self.operand
        if isinstance(variable, Path) and not variable.is_defined(runtime):
            return True
        return not is_truthy(self.operand.evaluate(runtime))

    def truth(self, runtime: "Runtime") -> bool:
        operand = self.operand.operand if type(self.operand) is Filtered else self.operand
        if is_variable(operand):
            return holds_without_failing(self, runtime)
        if type(operand) is Equality:
            return operand.compared(runtime) is False
        if type(operand) is Concatenation:
            raise Fatal("A negated concatenation can not be a condition.", self.position)
        return not self.operand.truth(runtime)


@dataclass(frozen=True, slots=True)
class Group(Expression):
    """A logic expression in parentheses."""

    inside: Expression

    def evaluate(self, runtime: "Runtime") -> Value:
        return self.inside.evaluate(runtime)

    def truth(self, runtime: "Runtime") -> bool:
        return self.inside.truth(runtime)


@dataclass(frozen=True, slots=True)
class Logic(Expression):
    """Operands joined by `and` or by `or`, evaluated only as far as needed."""

    joined_by_and: bool
    operands: tuple[Expression, ...]

    def evaluate(self, runtime: "Runtime") -> bool:
        if self.joined_by_and:
            return all(operand.truth(runtime) for operand in self.operands)
        return any(operand.truth(runtime) for operand in self.operands)
