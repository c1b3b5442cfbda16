"""The parts of a template, which write themselves."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from tera.errors import Failure
from tera.expressions import Array, ContextDump, Default, Expression, Filter, FunctionCall, Path
from tera.filters.strings import graphemes
from tera.frames import LoopFrame
from tera.operators import Filtered
from tera.values import describe, to_text

if TYPE_CHECKING:
    from tera.runtime import Runtime

# The name under which the product renders every template.
_OWN_NAME: Final = "template"
_LOOPED: Final = frozenset({Path, ContextDump, Default, FunctionCall, Array})


class Trim(NamedTuple):
    """Whether a tag removes the white space before and after it."""

    left: bool = False
    right: bool = False


class Jump(Enum):
    """How a body ended before its last node."""

    BREAK = "break"
    CONTINUE = "continue"


@dataclass(slots=True)
class Node(ABC):
    position: int

    @abstractmethod
    def write(self, runtime: "Runtime") -> Jump | None:
        """Write the text of this node, and return a jump out of the loop around it. Raises Failure."""


def write_all(nodes: Sequence[Node], runtime: "Runtime") -> Jump | None:
    """Write `nodes` up to the first one that jumps. Raises Failure."""
    pieces = runtime.pieces
    for node in nodes:
        # Texts and other nodes alternate, and a call would take longer than writing a text.
        if type(node) is Text:
            pieces.append(node.text)
            continue
        jump = node.write(runtime)
        if jump is not None:
            return jump
    return None


@dataclass(slots=True)
class Text(Node):
    text: str

    def write(self, runtime: "Runtime") -> None:
        runtime.pieces.append(self.text)


@dataclass(slots=True)
class Single(Node):
    """A tag that stands alone."""

    trim: Trim


@dataclass(slots=True)
class Comment(Single):
    def write(self, runtime: "Runtime") -> None:
        pass


@dataclass(slots=True)
class Output(Single):
    expression: Expression

    def write(self, runtime: "Runtime") -> None:
        expression = self.expression
        try:
            runtime.budget.steps += 1
            value = expression.evaluate(runtime)
            runtime.pieces.append(value if type(value) is str else to_text(value, runtime.budget))
        except Failure as failure:
            failure.locate(expression.position)
            raise


@dataclass(slots=True)
class Set(Single):
    name: str
    expression: Expression
    is_global: bool

    def write(self, runtime: "Runtime") -> None:
        try:
            runtime.budget.steps += 1
            runtime.assign(self.name, self.expression.evaluate(runtime), is_global=self.is_global)
        except Failure as failure:
            failure.locate(self.position)
            raise


@dataclass(slots=True)
class Include(Single):
    names: tuple[str, ...]
    ignore_missing: bool

    def write(self, runtime: "Runtime") -> None:  # noqa: ARG002  (the signature of every node)
        if _OWN_NAME in self.names:
            raise Failure("A template can not include itself.", self.position)
        if not self.ignore_missing:
            names = ", ".join(self.names)
            raise Failure(f"There is no template `{names[:60]}` to include.", self.position)


@dataclass(slots=True)
class LoopControl(Single):
    """`break` or `continue`. The parser also lets it stand in the `else` of a loop, where none may be running."""

    jump: Jump

    def write(self, runtime: "Runtime") -> Jump:
        if not runtime.in_loop():
            raise Failure(f"`{self.jump.value}` must stand in a loop.", self.position)
        return self.jump


@dataclass(slots=True)
class Super(Node):
    def write(self, runtime: "Runtime") -> None:  # noqa: ARG002  (the signature of every node)
        raise Failure("`super()` needs a block of another template to extend.", self.position)


@dataclass(slots=True)
class Raw(Node):
    start: Trim
    text: str
    end: Trim

    def write(self, runtime: "Runtime") -> None:
        runtime.pieces.append(self.text)


@dataclass(slots=True)
class Enclosing(Node):
    """A body between two tags."""

    start: Trim
    body: list[Node]
    end: Trim


@dataclass(slots=True)
class For(Enclosing):
    key_name: str | None
    value_name: str
    container: Expression
    otherwise: list[Node]

    def write(self, runtime: "Runtime") -> Jump | None:
        try:
            frame = self._frame(runtime)
        except Failure as failure:
            failure.locate(self.position)
            raise
        if frame is None:
            return write_all(self.otherwise, runtime)
        runtime.enter(frame)
        for _turn in frame.turns():
            runtime.turn()
            if write_all(self.body, runtime) is Jump.BREAK:
                break
        runtime.leave()
        return None

    def _frame(self, runtime: "Runtime") -> LoopFrame | None:
        """Return the frame of the loop, or None when it has no turns."""
        operand = self.container.operand if type(self.container) is Filtered else self.container
        if type(operand) not in _LOOPED:
            raise Failure("A loop runs over a variable, a function call or an array only.")
        container = self.container.evaluate(runtime)
        if not isinstance(container, (str, list, dict)):
            raise Failure(f"A loop needs an array, a string or an object, not {describe(container)}.")
        runtime.budget.step(1 + (len(container) >> 3))
        if isinstance(container, dict):
            if self.key_name is None:
                raise Failure("A loop over an object needs two names, for the key and for the value.")
            values = list(container.values())
            frame = LoopFrame(self.key_name, self.value_name, list(container), values, len(values))
        elif self.key_name is not None:
            raise Failure("A loop with two names needs an object.")
        elif isinstance(container, list):
            frame = LoopFrame(None, self.value_name, [], container, len(container))
        else:
            runtime.budget.items(len(container))
            # Tera makes a turn for every code point, although its values are what readers see as characters.
            frame = LoopFrame(None, self.value_name, [], list(graphemes(container)), len(container))
        return frame if frame.length else None


@dataclass(slots=True)
class FilterSection(Enclosing):
    filter: Filter | None

    def write(self, runtime: "Runtime") -> None:
        try:
            text = runtime.text_of(self.body)
            if self.filter is not None:
                text = to_text(self.filter.apply(text, runtime), runtime.budget)
            runtime.pieces.append(text)
        except Failure as failure:
            failure.locate(self.position)
            raise


@dataclass(slots=True)
class Block(Enclosing):
    name: str

    def write(self, runtime: "Runtime") -> Jump | None:
        runtime.budget.step()
        # Tera writes the one definition of a name wherever the name appears again.
        return write_all(runtime.block(self).body, runtime)


@dataclass(slots=True)
class Macro(Enclosing):
    name: str
    parameters: dict[str, Expression | None] = field(default_factory=dict)

    def write(self, runtime: "Runtime") -> None:
        """Write nothing: a definition only takes effect where it is called."""


@dataclass(slots=True)
class Branch:
    """A condition and what follows it; the `else` of an `if` is a branch without a condition."""

    trim: Trim
    condition: Expression | None
    body: list[Node]

    def holds(self, runtime: "Runtime") -> bool:
        """Tell whether the condition is true. Raises Failure."""
        if self.condition is None:
            return True
        try:
            runtime.budget.steps += 1
            return self.condition.truth(runtime)
        except Failure as failure:
            failure.locate(self.condition.position)
            raise


@dataclass(slots=True)
class If(Node):
    branches: list[Branch]
    end: Trim

    def write(self, runtime: "Runtime") -> Jump | None:
        for branch in self.branches:
            if branch.holds(runtime):
                return write_all(branch.body, runtime)
        return None
