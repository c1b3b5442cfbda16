"""The parts of a template between which text flows, as the parser leaves them and codegen finds them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tera.expressions import Expression, Filter


class Trim(NamedTuple):
    """Whether a tag takes away the white space before and after it."""

    left: bool = False
    right: bool = False


@dataclass(slots=True)
class Node:
    position: int


@dataclass(slots=True)
class Text(Node):
    text: str


@dataclass(slots=True)
class Single(Node):
    """A tag that stands alone."""

    trim: Trim


@dataclass(slots=True)
class Comment(Single):
    pass


@dataclass(slots=True)
class Output(Single):
    expression: Expression


@dataclass(slots=True)
class Set(Single):
    name: str
    expression: Expression
    is_global: bool


@dataclass(slots=True)
class Include(Single):
    names: tuple[str, ...]
    ignore_missing: bool


@dataclass(slots=True)
class Break(Single):
    pass


@dataclass(slots=True)
class Continue(Single):
    pass


@dataclass(slots=True)
class Super(Node):
    pass


@dataclass(slots=True)
class Raw(Node):
    start: Trim
    text: str
    end: Trim


@dataclass(slots=True)
class Enclosing(Node):
    """A body between two tags."""

    start: Trim
    body: list[Node] = field(default_factory=list)
    end: Trim = field(default_factory=Trim)


@dataclass(slots=True)
class For(Enclosing):
    key_name: str | None = None
    value_name: str = ""
    container: Expression | None = None
    otherwise: list[Node] | None = None


@dataclass(slots=True)
class FilterSection(Enclosing):
    filter: Filter | None = None


@dataclass(slots=True)
class Block(Enclosing):
    name: str = ""


@dataclass(slots=True)
class Macro(Enclosing):
    name: str = ""
    parameters: dict[str, Expression | None] = field(default_factory=dict)


@dataclass(slots=True)
class Branch:
    """A condition and what follows it; the `else` of an `if` is a branch without a condition."""

    trim: Trim
    condition: Expression | None
    body: list[Node]


@dataclass(slots=True)
class If(Node):
    branches: list[Branch]
    otherwise: Branch | None
    end: Trim
