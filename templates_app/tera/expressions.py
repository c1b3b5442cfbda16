"""The nodes of expressions, each able to evaluate itself.

Every node answers two questions: `evaluate`, its value, and `truth`, whether it holds as the condition of
an `if` or an operand of `and`, `or` and `not`. They differ: in a condition an undefined variable is false.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from templates_app.tera.arithmetic import calculate, compare
from templates_app.tera.errors import Failure, Fatal
from templates_app.tera.filters import FilterFunction
from templates_app.tera.functions import TemplateFunction
from templates_app.tera.arguments import Arguments
from templates_app.tera.paths import MISSING, Key, Missing
from templates_app.tera.testers import Tester
from templates_app.tera.values import (
    Value,
    charge_copy,
    describe,
    float_text,
    holds,
    is_number,
    is_truthy,
    number_json,
    same,
)

if TYPE_CHECKING:
    from templates_app.tera.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Expression(ABC):
    position: int

    @abstractmethod
    def evaluate(self, runtime: "Runtime") -> Value:
        """Return the value. Raises Failure."""

    def truth(self, runtime: "Runtime") -> bool:
        """Tell whether this holds as a condition. Raises Failure."""
        return is_truthy(self.evaluate(runtime))

    def number(self, runtime: "Runtime") -> int | float | None:
        """Return the value as an operand of arithmetic; None is a result that is not a number."""
        value = self.evaluate(runtime)
        if not is_number(value):
            raise Failure(f"Only numbers can be calculated with, not {describe(value)}.", self.position)
        return value


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    value: bool | int | float | str

    def evaluate(self, runtime: "Runtime") -> Value:  # noqa: ARG002  (the signature of every node)
        return self.value


@dataclass(frozen=True, slots=True)
class Array(Expression):
    items: tuple[Expression, ...]

    def evaluate(self, runtime: "Runtime") -> Value:
        runtime.budget.items(len(self.items) + 1)
        values: list[Value] = []
        for item in self.items:
            value = item.evaluate(runtime)
            charge_copy(value, runtime.budget)
            values.append(value)
        return values


@dataclass(frozen=True, slots=True)
class Path(Expression):
    """A variable. `key` is known beforehand unless other variables stand in its brackets."""

    text: str
    key: Key | None

    def find(self, runtime: "Runtime") -> Value | Missing:
        if self.key is not None:
            return runtime.find(self.key)
        return runtime.find(runtime.key(self.text))

    def evaluate(self, runtime: "Runtime") -> Value:
        value = self.find(runtime)
        if isinstance(value, Missing):
            raise Failure(f"The variable `{self.text}` is not defined.", self.position)
        return value

    def is_defined(self, runtime: "Runtime") -> bool:
        try:
            return self.find(runtime) is not MISSING
        except Fatal:
            raise
        except Failure:
            return False

    def truth(self, runtime: "Runtime") -> bool:
        value = self.find_or_missing(runtime)
        return not isinstance(value, Missing) and is_truthy(value)

    def find_or_missing(self, runtime: "Runtime") -> Value | Missing:
        """Look up without failing: a path through an undefined index leads nowhere."""
        try:
            return self.find(runtime)
        except Fatal:
            raise
        except Failure:
            return MISSING


@dataclass(frozen=True, slots=True)
class ContextDump(Path):
    """The variable that holds everything visible as JSON."""

    def find(self, runtime: "Runtime") -> Value | Missing:
        return runtime.dump()


@dataclass(frozen=True, slots=True)
class Default(Expression):
    """The filter `default`, first in line on a variable: its value where that is undefined or null."""

    path: Path
    value: Expression | None

    def evaluate(self, runtime: "Runtime") -> Value:
        found = self.path.find_or_missing(runtime)
        if not isinstance(found, Missing) and found is not None:
            return found
        if self.value is None:
            raise Failure("The filter `default` needs the argument `value`.", self.position)
        return self.value.evaluate(runtime)

    def truth(self, runtime: "Runtime") -> bool:
        return _holds_without_failing(self, runtime)


@dataclass(frozen=True, slots=True)
class Filter:
    position: int
    name: str
    function: FilterFunction
    arguments: tuple[tuple[str, Expression], ...]

    def apply(self, value: Value, runtime: "Runtime") -> Value:
        arguments = Arguments(
            f"filter `{self.name}`", {name: item.evaluate(runtime) for name, item in self.arguments}
        )
        runtime.budget.step()
        try:
            result = self.function(value, arguments, runtime.budget)
        except Failure as failure:
            failure.locate(self.position)
            raise
        if type(result) is str:
            runtime.budget.string(len(result))
        return result


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
            return _holds_without_failing(self, runtime)
        if isinstance(self.operand, Concatenation):
            return _text_truth(self.evaluate(runtime), self.position)
        # As a condition, only variables and concatenations have their filters applied.
        return self.operand.truth(runtime)


def _holds_without_failing(expression: Expression, runtime: "Runtime") -> bool:
    """A variable that is undefined, or that a filter refuses, makes a condition false, negated or not."""
    try:
        return is_truthy(expression.evaluate(runtime))
    except Fatal:
        raise
    except Failure:
        return False


def is_variable(expression: Expression) -> bool:
    """Tell whether `expression` is a variable, with or without a default."""
    return isinstance(expression, Path | Default)


def _text_truth(value: Value, position: int) -> bool:
    if not isinstance(value, str):
        raise Fatal("A concatenation used as a condition must stay a string.", position)
    return value != ""


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
        if isinstance(value, str):
            return value
        if not is_number(value):
            raise Failure(
                f"Only strings and numbers can be concatenated, not {describe(value)}.", part.position
            )
        # A literal 1.0 is written `1` here, a variable holding 1.0 is written `1.0`.
        if isinstance(part, Literal) and isinstance(value, float):
            return float_text(value)
        return number_json(value)


@dataclass(frozen=True, slots=True)
class Arithmetic(Expression):
    operator: str
    left: Expression
    right: Expression

    def evaluate(self, runtime: "Runtime") -> Value:
        result = self.number(runtime)
        return "NaN" if result is None else result

    def truth(self, runtime: "Runtime") -> bool:
        return bool(self.number(runtime))

    def number(self, runtime: "Runtime") -> int | float | None:
        left, right = self.left.number(runtime), self.right.number(runtime)
        if left is None or right is None:
            return None
        try:
            return calculate(self.operator, left, right)
        except Failure as failure:
            failure.locate(self.position)
            raise


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
        """Tell whether the comparison holds; None where one side only is a number.

        Then both `==` and `!=` are false, and so is either with `not` before it, as a condition.
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
class Test(Expression):
    path: Path
    name: str
    tester: Tester
    arguments: tuple[Expression, ...]
    negated: bool

    def evaluate(self, runtime: "Runtime") -> bool:
        arguments = [argument.evaluate(runtime) for argument in self.arguments]
        runtime.budget.step()
        try:
            result = self.tester(self.path.find_or_missing(runtime), arguments, runtime.budget)
        except Failure as failure:
            failure.locate(self.position)
            raise
        return result is not self.negated


@dataclass(frozen=True, slots=True)
class FunctionCall(Expression):
    name: str
    function: TemplateFunction
    arguments: tuple[tuple[str, Expression], ...]

    def evaluate(self, runtime: "Runtime") -> Value:
        arguments = Arguments(
            f"function `{self.name}`", {name: item.evaluate(runtime) for name, item in self.arguments}
        )
        runtime.budget.step()
        try:
            return self.function(arguments, runtime.budget)
        except Failure as failure:
            failure.locate(self.position)
            raise

    def truth(self, runtime: "Runtime") -> bool:
        value = self.evaluate(runtime)
        if not isinstance(value, bool):
            raise Failure(
                f"The function `{self.name}` is used as a condition but does not give a bool.", self.position
            )
        return value


@dataclass(frozen=True, slots=True)
class MacroCall(Expression):
    namespace: str
    name: str
    arguments: tuple[tuple[str, Expression], ...]

    def evaluate(self, runtime: "Runtime") -> str:
        try:
            return runtime.call_macro(self.namespace, self.name, dict(self.arguments))
        except Failure as failure:
            failure.locate(self.position)
            raise


@dataclass(frozen=True, slots=True)
class Not(Expression):
    operand: Expression

    def evaluate(self, runtime: "Runtime") -> bool:
        if isinstance(self.operand, Path) and not self.operand.is_defined(runtime):
            return True
        if isinstance(self.operand, Filtered) and isinstance(self.operand.operand, Path):
            if not self.operand.operand.is_defined(runtime):
                return True
        return not is_truthy(self.operand.evaluate(runtime))

    def truth(self, runtime: "Runtime") -> bool:
        operand = self.operand.operand if isinstance(self.operand, Filtered) else self.operand
        if is_variable(operand):
            return _holds_without_failing(self, runtime)
        if isinstance(operand, Equality):
            return operand.compared(runtime) is False
        if isinstance(operand, Concatenation):
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
