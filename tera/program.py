"""What a compiled template consists of, shared by the code generator and the runtime."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from jinja2.runtime import Context

from tera.expressions import Expression, Filter

Unit = Callable[[Context], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Assignment:
    position: int
    name: str
    expression: Expression
    is_global: bool


@dataclass(frozen=True, slots=True)
class Loop:
    position: int
    key_name: str | None
    value_name: str
    container: Expression


@dataclass(frozen=True, slots=True)
class Section:
    """A filter section: its body is a unit of its own, so that its text is counted while it is written."""

    position: int
    unit: int
    filter: Filter | None


@dataclass(frozen=True, slots=True)
class MacroDefinition:
    name: str
    parameters: dict[str, Expression | None]
    unit: int


@dataclass(slots=True)
class Program:
    """The generated code, one unit for the template and one for each macro and filter section.

    The code refers to everything else by its place in these lists.
    """

    units: list[Unit] = field(default_factory=list)
    expressions: list[Expression] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    macros: dict[str, MacroDefinition] = field(default_factory=dict)
