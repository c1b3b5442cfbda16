"""Reads expressions without ever going back, so that the time to parse grows with the text alone.

Tera's grammar tries one reading after another. Here every construct is read once, and what it turned out to
be decides what may follow: `(a + b)` may be added to, `(a or b)` may not.
"""

import re
from collections.abc import Callable
from contextlib import contextmanager
from collections.abc import Iterator
from typing import Final, NamedTuple

from templates_app.tera import limits
from templates_app.tera.expressions import (
    Arithmetic,
    Array,
    Concatenation,
    ContextDump,
    Default,
    Equality,
    Expression,
    Filter,
    Filtered,
    FunctionCall,
    Group,
    Literal,
    Logic,
    MacroCall,
    Membership,
    Not,
    Ordering,
    Path,
    Test,
)
from templates_app.tera.filters import FILTERS
from templates_app.tera.functions import FUNCTIONS
from templates_app.tera.paths import key_from, bracketed_variables
from templates_app.tera.scanner import Scanner
from templates_app.tera.testers import TESTERS
from templates_app.tera.values import MAX_I64, MIN_I64

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:(\.)[0-9]+)?")
_BRACKET_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"(?:\.[A-Za-z0-9_]+)+")
_NOT = re.compile(r"not[ \t\r\n]")
_JOINT = re.compile(r"(and|or)[ \t\r\n]")
_COMPARISON = re.compile(r"<=|>=|<|>|==|!=")
_BOOLEANS: Final = {"true": True, "True": True, "false": False, "False": False}
_CONTEXT_DUMP = "__tera_context"
_TAG_ENDS = ("%}", "-%}", "-}}")

NamedArguments = tuple[tuple[str, Expression], ...]


class Operand(NamedTuple):
    """An expression, and whether it is plain arithmetic: no filters, strings, comparisons or logic."""

    expression: Expression
    is_plain: bool


class ExpressionParser:
    """Reads the expressions of one template from its scanner."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0
        self._count = 0
        # Where `not` negates a comparison whose value is used. Tera ignores it there, which cannot be meant.
        self.effective_negations: list[int] = []

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

    def value(self) -> Expression:
        """Read a logic expression, or an array with filters."""
        self._scanner.space()
        if self._scanner.at("["):
            return self.array_with_filters()
        return self._noted(self.logic())

    def _noted(self, expression: Expression) -> Expression:
        if isinstance(expression, Not) and isinstance(expression.operand, Equality | Ordering):
            self.effective_negations.append(expression.position)
        return expression

    def logic(self) -> Expression:
        return self._logic().expression

    def _logic(self) -> Operand:
        """Read operands joined by `and`, which binds closer, and `or`."""
        position = self._scanner.position
        first = self._logic_value()
        alternatives = [[first.expression]]
        while (joint := self._joint()) is not None:
            operand = self._logic_value().expression
            if joint == "and":
                alternatives[-1].append(operand)
            else:
                alternatives.append([operand])
        terms = [
            Logic(position, joined_by_and=True, operands=tuple(term)) if len(term) > 1 else term[0]
            for term in alternatives
        ]
        if len(terms) > 1:
            return Operand(Logic(position, joined_by_and=False, operands=tuple(terms)), is_plain=False)
        return Operand(terms[0], is_plain=first.is_plain and terms[0] is first.expression)

    def _joint(self) -> str | None:
        start = self._scanner.position
        self._scanner.space()
        joint = self._scanner.match(_JOINT)
        if joint is None:
            self._scanner.position = start
            return None
        return joint[:-1]

    def _logic_value(self) -> Operand:
        """Read one operand of `and` and `or`: negated or not, a comparison or something in parentheses."""
        self._scanner.space()
        position = self._counted()
        negated = self._scanner.match(_NOT) is not None
        self._scanner.space()
        if self._scanner.at("("):
            inside = self._parenthesised()
            if not inside.is_plain:
                # What is not arithmetic inside parentheses stands for itself: nothing applies to it.
                operand = Operand(Group(inside.expression.position, inside.expression), is_plain=False)
            else:
                operand = self._comparison(inside)
        else:
            operand = self._comparison(None)
        if negated:
            return Operand(Not(position, operand.expression), is_plain=False)
        return operand

    def _parenthesised(self) -> Operand:
        self._scanner.expect("(")
        with self._deeper():
            inside = self._logic()
        self._scanner.space()
        self._scanner.expect(")")
        return inside

    def _comparison(self, first: Operand | None) -> Operand:
        """Read a side, and after it `in` or a comparison with another side."""
        position = self._scanner.position if first is None else first.expression.position
        left, may_be_contained, is_plain = self._side(first)
        end = self._scanner.position
        self._scanner.space()
        if may_be_contained and (negated := self._membership_operator()) is not None:
            container = self._container()
            return Operand(Membership(position, left, container, negated), is_plain=False)
        operator = self._scanner.match(_COMPARISON)
        if operator is None:
            self._scanner.position = end
            return Operand(left, is_plain)
        self._scanner.space()
        right, _, _ = self._side(None)
        if operator in {"==", "!="}:
            return Operand(Equality(position, left, right, operator == "!="), is_plain=False)
        return Operand(Ordering(position, operator, left, right), is_plain=False)

    def _membership_operator(self) -> bool | None:
        """Step over `in` or `not in`, and tell which it was; None when it is neither."""
        if self._scanner.take("in"):
            return False
        start = self._scanner.position
        if self._scanner.match(_NOT):
            self._scanner.space()
            if self._scanner.take("in"):
                return True
            self._scanner.position = start
        return None

    def _container(self) -> Expression:
        """Read the right side of `in`: a string, a concatenation, an array, or a variable alone."""
        self._scanner.space()
        if self._scanner.at("["):
            return self.array_with_filters()
        position = self._counted()
        if (text := self._scanner.string()) is not None:
            return self._with_filters(self._concatenation(Literal(position, text)))
        operand = self._primary()
        joined = self._concatenation(operand)
        if isinstance(joined, Concatenation):
            return self._with_filters(joined)
        container = self._concatenable(operand)
        if not isinstance(container, Path):
            self._scanner.fail("`in` needs a string, an array or a variable after it", position)
        return container

    def _side(self, first: Operand | None) -> tuple[Expression, bool, bool]:
        """Read one side of a comparison.

        Return it, whether it may stand before `in`, and whether it is plain arithmetic.
        """
        position = self._counted()
        if first is None and (text := self._scanner.string()) is not None:
            joined = self._concatenation(Literal(position, text))
            return self._with_filters(joined), True, False
        if first is None and not self._scanner.at("("):
            operand = self._primary()
            joined = self._concatenation(operand)
            if isinstance(joined, Concatenation):
                return self._with_filters(joined), True, False
            first = Operand(operand, is_plain=True)
        sum_ = self._arithmetic(self._arithmetic_operand, first.expression if first else None)
        filtered = self._with_filters(sum_)
        if filtered is sum_:
            return sum_, True, True
        # Arithmetic after a filter is grouped before it is applied to what was filtered.
        joined = self._arithmetic(self._filtered_arithmetic, filtered)
        return joined, joined is filtered, False

    def _filtered_arithmetic(self) -> Expression:
        return self._with_filters(self._arithmetic(self._arithmetic_operand, None))

    def _arithmetic_operand(self) -> Expression:
        self._counted()
        if not self._scanner.at("("):
            return self._primary()
        start = self._scanner.position
        inside = self._parenthesised()
        if not inside.is_plain:
            self._scanner.fail("Only arithmetic can be calculated with in parentheses", start)
        return inside.expression

    def _arithmetic(self, operand: Callable[[], Expression], first: Expression | None) -> Expression:
        """Read operands joined by arithmetic operators, `*`, `/` and `%` before `+` and `-`."""
        position = self._scanner.position if first is None else first.position
        total: Expression | None = None
        sign = "+"
        product = operand() if first is None else first
        while (operator := self._arithmetic_operator()) is not None:
            right = operand()
            if operator in "*/%":
                product = Arithmetic(position, operator, product, right)
                continue
            total = product if total is None else Arithmetic(position, sign, total, product)
            sign, product = operator, right
        return product if total is None else Arithmetic(position, sign, total, product)

    def _arithmetic_operator(self) -> str | None:
        start = self._scanner.position
        self._scanner.space()
        if not self._scanner.at("+", "-", "*", "/", "%") or self._scanner.at(*_TAG_ENDS):
            self._scanner.position = start
            return None
        operator = self._scanner.source[self._scanner.position]
        self._scanner.position += 1
        self._scanner.space()
        return operator

    def _concatenation(self, first: Expression) -> Expression:
        """Read the operands after `first` that `~` joins to it, if there are any."""
        parts: list[Expression] = []
        while self._tilde():
            if not parts:
                parts.append(self._concatenable(first))
            position = self._counted()
            text = self._scanner.string()
            parts.append(self._concatenable(self._primary() if text is None else Literal(position, text)))
        return Concatenation(first.position, tuple(parts)) if parts else first

    def _tilde(self) -> bool:
        start = self._scanner.position
        self._scanner.space()
        if self._scanner.take("~"):
            self._scanner.space()
            return True
        self._scanner.position = start
        return False

    def _concatenable(self, part: Expression) -> Expression:
        if isinstance(part, Literal) and isinstance(part.value, bool):
            # There are no booleans beside `~`, but variables may be called so.
            name = _NAME.match(self._scanner.source, part.position)
            return self._path_node(part.position, name.group() if name else "")
        if isinstance(part, Test | MacroCall):
            self._scanner.fail("Only strings, numbers, variables and function calls can be concatenated", part.position)
        return part

    def array_with_filters(self) -> Expression:
        position = self._counted()
        self._scanner.expect("[")
        items = []
        with self._deeper():
            while not self._after_space("]"):
                items.append(self._noted(self._logic_value().expression))
                if not self._after_space(","):
                    self._scanner.space()
                    self._scanner.expect("]")
                    break
        return self._with_filters(Array(position, tuple(items)))

    def _after_space(self, text: str) -> bool:
        """Step over white space, and over `text` if it comes then."""
        self._scanner.space()
        return self._scanner.take(text)

    def for_container(self) -> Expression:
        """Read what a loop may run over: an array, or arithmetic with filters."""
        if self._scanner.at("["):
            return self.array_with_filters()
        return self._filtered_arithmetic()

    def _primary(self) -> Expression:
        position = self._scanner.position
        if self._scanner.at(*"-0123456789"):
            return self._number(position)
        name = self._scanner.match(_NAME)
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
            name = self._scanner.match(_NAME)
            number = Literal(position, _BOOLEANS[name]) if name in _BOOLEANS else Path(position, "", None)
        if not isinstance(number, Literal):
            self._scanner.fail("Expected a string, a number, `true` or `false`", position)
        return number

    def _call(self, position: int, name: str) -> Expression | None:
        """Read a macro or function call after its first name, if it is one."""
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
        """Read `(name=value, …)`; of a name given twice the last value counts."""
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
