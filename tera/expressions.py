"""The nodes of expressions, which evaluate themselves.

Every node has two methods: `evaluate` returns its value, and `truth` tells whether it is true as the condition of
an `if` or as an operand of `and`, `or` and `not`. They differ: in a condition, an undefined variable is false.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tera.arguments import Arguments
from tera.errors import Failure, Fatal
from tera.filters import FilterFunction
from tera.functions import TemplateFunction
from tera.paths import MISSING, Key, Missing
from tera.testers import Tester
from tera.values import (
    Value,
    charge_copy,
    describe,
    is_number,
    is_truthy,
)

if TYPE_CHECKING:
    from tera.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Expression(ABC):
    position: int

    @abstractmethod
    def evaluate(self, runtime: "Runtime") -> Value:
        """Return the value. Raises Failure."""

    def truth(self, runtime: "Runtime") -> bool:
        """Tell whether this is true as a condition. Raises Failure."""
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
        key = self.key
        value = self.find(runtime) if key is None else runtime.find(key)
        if value is MISSING:
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
        return value is not MISSING and is_truthy(value)

    def find_or_missing(self, runtime: "Runtime") -> Value | Missing:
        """Look up without failing. A path through an undefined index gives MISSING."""
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
    """The filter `default` directly after a variable. It gives its value if the variable is undefined or null."""

    path: Path
    value: Expression | None

    def evaluate(self, runtime: "Runtime") -> Value:
        found = self.path.find_or_missing(runtime)
        if found is not MISSING and found is not None:
            return found
        if self.value is None:
            raise Failure("The filter `default` needs the argument `value`.", self.position)
        return self.value.evaluate(runtime)

    def truth(self, runtime: "Runtime") -> bool:
        return holds_without_failing(self, runtime)


@dataclass(frozen=True, slots=True)
class Filter:
    position: int
    name: str
    function: FilterFunction
    arguments: tuple[tuple[str, Expression], ...]

    def apply(self, value: Value, runtime: "Runtime") -> Value:
        arguments = Arguments(
            "filter", self.name, {name: item.evaluate(runtime) for name, item in self.arguments}
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


def holds_without_failing(expression: Expression, runtime: "Runtime") -> bool:
    """Tell whether a condition is true. A variable that is undefined, or refused by a filter, makes it false.

    The condition is false even if it is negated.
    """
    try:
        return is_truthy(expression.evaluate(runtime))
    except Fatal:
        raise
    except Failure:
        return False


# By exact type here and below: asking an abstract class for its instances takes as long as rendering a variable.
_VARIABLES: Final = frozenset({Path, ContextDump, Default})


def is_variable(expression: Expression) -> bool:
    """Tell whether `expression` is a variable, with or without a default."""
    return type(expression) in _VARIABLES


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
            "function", self.name, {name: item.evaluate(runtime) for name, item in self.arguments}
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
