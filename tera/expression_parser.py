"""Reads expressions and never goes back, so that the time of parsing is proportional to the length of the text.

Tera's grammar tries one reading after another. Here every construct is read once, and its kind decides what may
follow it: `+` may follow `(a + b)`, but not `(a or b)`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from tera.expressions import Expression, Literal, MacroCall, Path, Test
from tera.operand_parser import NAME, OperandParser
from tera.operators import (
    Arithmetic,
    Concatenation,
    Equality,
    Group,
    Logic,
    Membership,
    Not,
    Ordering,
)

_NOT = re.compile(r"not[ \t\r\n]")
_JOINT = re.compile(r"(and|or)[ \t\r\n]")
_COMPARISON = re.compile(r"<=|>=|<|>|==|!=")
_TAG_ENDS = ("%}", "-%}", "-}}")


class Operand(NamedTuple):
    """An expression, and whether it is plain arithmetic: no filters, strings, comparisons or logic."""

    expression: Expression
    is_plain: bool


class ExpressionParser(OperandParser):
    """Reads the expressions of one template from its scanner."""

    def value(self) -> Expression:
        self._scanner.space()
        if self._scanner.at("["):
            return self.array_with_filters()
        return self._noted(self.logic())

    def element(self) -> Expression:
        return self._noted(self._logic_value().expression)

    def _noted(self, expression: Expression) -> Expression:
        if isinstance(expression, Not) and isinstance(expression.operand, Equality | Ordering):
            self.effective_negations.append(expression.position)
        return expression

    def logic(self) -> Expression:
        return self._logic().expression

    def _logic(self) -> Operand:
        """Read operands joined by `or` and `and`. `and` binds more strongly."""
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
                # If the content of the parentheses is not arithmetic, no operator or filter may follow them.
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
        """Step over `in` or `not in`, and tell which it was; None if it is neither."""
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
        # Arithmetic after a filter is grouped first and then applied to the filtered value.
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
        terms: list[tuple[str, Expression]] = []
        sign = "+"
        factor = operand() if first is None else first
        steps: list[tuple[str, Expression]] = []
        while (operator := self._arithmetic_operator()) is not None:
            if operator in "*/%":
                steps.append((operator, operand()))
                continue
            terms.append((sign, _chain(factor, steps)))
            sign, factor, steps = operator, operand(), []
        if not terms:
            return _chain(factor, steps)
        return _chain(terms[0][1], [*terms[1:], (sign, _chain(factor, steps))])

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
            # Beside `~`, the names of booleans are variables.
            name = NAME.match(self._scanner.source, part.position)
            return self._path_node(part.position, name.group() if name else "")
        if isinstance(part, Test | MacroCall):
            self._scanner.fail(
                "Only strings, numbers, variables and function calls can be concatenated", part.position
            )
        return part

    def for_container(self) -> Expression:
        """Read what a loop may run over: an array, or arithmetic with filters."""
        if self._scanner.at("["):
            return self.array_with_filters()
        return self._filtered_arithmetic()


def _chain(first: Expression, steps: list[tuple[str, Expression]]) -> Expression:
    return Arithmetic(first.position, first, tuple(steps)) if steps else first
