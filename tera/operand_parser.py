"""Reads the operands of operators: literals, variables, calls, tests, arrays, and filters after them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tera import limits
from tera.expressions import (
    Array,
    ContextDump,
    Default,
    Expression,
    Filter,
    FunctionCall,
    Literal,
    MacroCall,
    Path,
    Test,
)
from tera.filters import FILTERS
from tera.functions import FUNCTIONS
from tera.operators import Filtered
from tera.paths import bracketed_variables, key_from
from tera.scanner import Scanner
from tera.testers import TESTERS
from tera.values import MAX_I64, MIN_I64

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:(\.)[0-9]+)?")
_BRACKET_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DOTTED = re.compile(r"(?:\.[A-Za-z0-9_]+)+")
_BOOLEANS: Final = {"true": True, "True": True, "false": False, "False": False}
_CONTEXT_DUMP = "__tera_context"

NamedArguments = tuple[tuple[str, Expression], ...]


class OperandParser(ABC):
    """Reads operands from the scanner of one template."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0
        self._count = 0
        # The place where `not` negates a comparison whose value is used. Tera ignores it there; no author wants that.
        self.effective_negations: list[int] = []

    @abstractmethod
    def value(self) -> Expression:
        """Read a logic expression, or an array with filters."""

    @abstractmethod
    def logic(self) -> Expression:
        """Read a logic expression."""

    @abstractmethod
    def element(self) -> Expression:
        """Read an element of an array."""

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > limits.MAX_EXPRESSION_DEPTH:
            self._scanner.fail(f"Expressions are nested deeper than {limits.MAX_EXPRESSION_DEPTH} levels")
        yield
        self._depth -= 1

    def _counted(self) -> int:
        """Return where the next expression begins, and account for it."""
        self._count += 1
        if self._count > limits.MAX_EXPRESSIONS:
            self._scanner.fail(f"The template holds more than {limits.MAX_EXPRESSIONS} expressions")
        return self._scanner.position

    def array_with_filters(self) -> Expression:
        position = self._counted()
        self._scanner.expect("[")
        items = []
        with self._deeper():
            while not self._after_space("]"):
                items.append(self.element())
                if not self._after_space(","):
                    self._scanner.space()
                    self._scanner.expect("]")
                    break
        return self._with_filters(Array(position, tuple(items)))

    def _after_space(self, text: str) -> bool:
        """Step over white space, and over `text` if it comes then."""
        self._scanner.space()
        return self._scanner.take(text)

    def _primary(self) -> Expression:
        position = self._scanner.position
        if self._scanner.at(*"-0123456789"):
            return self._number(position)
        name = self._scanner.match(NAME)
        if name is None:
            self._scanner.fail("Expected an expression")
        if not self._scanner.at(".", "["):
            if name in _BOOLEANS:
                return Literal(position, _BOOLEANS[name])
            if (call := self._call(position, name)) is not None:
                return call
        path = self._path(position)
        return self._test(path)

    def _number(self, position: int) -> Expression:
        text = self._scanner.match(_NUMBER)
        if text is None:
            self._scanner.fail("Expected a number after `-`")
        if "." in text:
            number = float(text)
            if number in {float("inf"), float("-inf")}:
                self._scanner.fail("This number is out of range", position)
            return Literal(position, number)
        integer = int(text) if len(text) <= 20 else MAX_I64 + 1
        if not MIN_I64 <= integer <= MAX_I64:
            self._scanner.fail("This integer is out of the range of 64-bit integers", position)
        return Literal(position, integer)

    def literal(self) -> Literal:
        """Read a bool, a string or a number alone."""
        position = self._counted()
        if (text := self._scanner.string()) is not None:
            return Literal(position, text)
        if self._scanner.at(*"-0123456789"):
            number = self._number(position)
        else:
            name = self._scanner.match(NAME)
            number = Literal(position, _BOOLEANS[name]) if name in _BOOLEANS else Path(position, "", None)
        if not isinstance(number, Literal):
            self._scanner.fail("Expected a string, a number, `true` or `false`", position)
        return number

    def _call(self, position: int, name: str) -> Expression | None:
        """Read a call of a macro or function after its first name, if there is one."""
        end = self._scanner.position
        self._scanner.space()
        if self._scanner.take("::"):
            self._scanner.space()
            macro = self._scanner.identifier()
            self._scanner.space()
            return MacroCall(position, name, macro, self._arguments())
        if self._scanner.at("("):
            arguments = self._arguments()
            if name not in FUNCTIONS:
                self._scanner.fail(f"There is no function `{name}`", position)
            return FunctionCall(position, name, FUNCTIONS[name], arguments)
        self._scanner.position = end
        return None

    def _arguments(self) -> NamedArguments:
        """Read `(name=value, …)`. If a name is given twice, the last value counts."""
        self._scanner.expect("(")
        arguments: dict[str, Expression] = {}
        with self._deeper():
            while not self._after_space(")"):
                name = self._scanner.identifier()
                self._scanner.space()
                self._scanner.expect("=")
                arguments[name] = self.value()
                if not self._after_space(","):
                    self._scanner.space()
                    self._scanner.expect(")")
                    break
        return tuple(arguments.items())

    def _path(self, position: int) -> Path:
        """Read dots and brackets after a first name."""
        while True:
            if self._scanner.match(_DOTTED):
                continue
            if not self._scanner.at("["):
                break
            self._bracket()
        return self._path_node(position, self._scanner.source[position : self._scanner.position])

    def _bracket(self) -> None:
        self._scanner.expect("[")
        position = self._scanner.position
        if self._scanner.string() is None and self._scanner.match(_BRACKET_NUMBER) is None:
            with self._deeper():
                self._scanner.identifier()
                self._path(position)
        self._scanner.expect("]")

    def _path_node(self, position: int, text: str) -> Path:
        if text == _CONTEXT_DUMP:
            return ContextDump(position, text, None)
        if len(text) > limits.MAX_KEY_CHARACTERS:
            self._scanner.fail(f"This path is longer than {limits.MAX_KEY_CHARACTERS} characters", position)
        return Path(position, text, None if bracketed_variables(text) else key_from(text))

    def _test(self, path: Path) -> Expression:
        """Read `is` or `is not` and a test after a variable, if they are there."""
        end = self._scanner.position
        if not self._after_space("is"):
            self._scanner.position = end
            return path
        self._scanner.space()
        negated = self._scanner.take("not")
        self._scanner.space()
        position = self._scanner.position
        name = self._scanner.identifier()
        if name not in TESTERS:
            self._scanner.fail(f"There is no test `{name}`", position)
        return Test(path.position, path, name, TESTERS[name], self._test_arguments(), negated)

    def _test_arguments(self) -> tuple[Expression, ...]:
        end = self._scanner.position
        if not self._after_space("("):
            self._scanner.position = end
            return ()
        arguments = []
        with self._deeper():
            while True:
                self._scanner.space()
                if self._scanner.at("["):
                    self._scanner.fail("A test does not take an array")
                arguments.append(self.logic())
                if not self._after_space(","):
                    break
        self._scanner.space()
        self._scanner.expect(")")
        return tuple(arguments)

    def _with_filters(self, operand: Expression) -> Expression:
        """Read the filters after `operand`; as the first one of a variable, `default` is part of it."""
        filters: list[Filter] = []
        number = 0
        end = self._scanner.position
        while self._after_space("|"):
            self._scanner.space()
            position = self._counted()
            name, arguments = self.filter_call()
            if name == "default":
                if number == 0 and isinstance(operand, Path):
                    operand = Default(operand.position, operand, dict(arguments).get("value"))
            elif name != "safe":
                filters.append(self.named_filter(position, name, arguments))
            number += 1
            end = self._scanner.position
        self._scanner.position = end
        if number == 0 or (not filters and isinstance(operand, Default)):
            return operand
        return Filtered(operand.position, operand, tuple(filters))

    def filter_call(self) -> tuple[str, NamedArguments]:
        """Read the name of a filter and its arguments, if it has any."""
        name = self._scanner.identifier()
        end = self._scanner.position
        self._scanner.space()
        if self._scanner.at("("):
            return name, self._arguments()
        self._scanner.position = end
        return name, ()

    def named_filter(self, position: int, name: str, arguments: NamedArguments) -> Filter:
        if name not in FILTERS:
            self._scanner.fail(f"There is no filter `{name}`", position)
        return Filter(position, name, FILTERS[name], arguments)
