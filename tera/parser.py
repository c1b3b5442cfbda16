"""Reads a template into nodes: text, output, tags, and what stands between tags."""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, NoReturn

from tera import limits
from tera.expression_parser import ExpressionParser
from tera.expressions import Expression
from tera.nodes import (
    Block,
    Branch,
    Comment,
    FilterSection,
    For,
    If,
    Include,
    Jump,
    LoopControl,
    Macro,
    Node,
    Output,
    Raw,
    Set,
    Super,
    Text,
    Trim,
)
from tera.scanner import Scanner
from tera.whitespace import trimmed

_OPENINGS = re.compile(r"\{[{%#]")
_WORD = re.compile(r"[A-Za-z_]+")
_END_RAW = re.compile(r"\{%(-?)[ \t\r\n]*endraw[ \t\r\n]*(-?)%\}")
_SUPER = re.compile(r"[ \t\r\n]*super\(\)[ \t\r\n]*(?=-?\}\})")
_IGNORE_MISSING = re.compile(r"ignore[ \t\r\n]*missing")


class Place(Enum):
    """Where nodes are in the template, which decides which tags may be there."""

    TOP = "at the top level"
    BLOCK = "in a block"
    MACRO = "in a macro"
    LOOP = "in a loop"
    SECTION = "in a filter section"


_BLOCK_PLACES: Final = {Place.TOP, Place.BLOCK, Place.SECTION}


class Parser:
    """Reads one template."""

    def __init__(self, source: str) -> None:
        self.scanner = Scanner(source)
        self.expressions = ExpressionParser(self.scanner)
        self._tags = 0
        self._depth = 0
        self._loops = 0
        self._macros: set[str] = set()

    def parse(self) -> list[Node]:
        """Return the nodes of the whole template, white space control applied."""
        while self.scanner.at("{#"):
            # Comments at the very beginning do not trim.
            self._comment()
        nodes = self._nodes(Place.TOP, ())
        if not self.scanner.at_end():
            self.scanner.fail("This tag closes nothing")
        return trimmed(nodes)

    def _nodes(self, place: Place, ends: tuple[str, ...]) -> list[Node]:
        """Read nodes up to a tag whose name begins with one of `ends`, or to the end."""
        nodes: list[Node] = []
        while not self.scanner.at_end():
            position = self.scanner.position
            if self.scanner.at("{{"):
                nodes.append(self._output(place))
            elif self.scanner.at("{#"):
                nodes.append(self._comment())
            elif not self.scanner.at("{%"):
                nodes.append(self._text())
            elif self._tag_name() in ends:
                return nodes
            else:
                nodes.append(self._tag(place))
            self._count_tag(position)
        if ends:
            self.scanner.fail(f"The template ends before {{% {ends[-1]} %}}")
        return nodes

    def _count_tag(self, position: int) -> None:
        self._tags += 1
        if self._tags > limits.MAX_TAGS:
            self.scanner.fail(f"The template holds more than {limits.MAX_TAGS} tags and texts", position)

    def _text(self) -> Text:
        position = self.scanner.position
        opening = _OPENINGS.search(self.scanner.source, position)
        self.scanner.position = opening.start() if opening else len(self.scanner.source)
        return Text(position, self.scanner.source[position : self.scanner.position])

    def _output(self, place: Place) -> Node:
        position = self.scanner.position
        left = self.scanner.take("{{-") or not self.scanner.take("{{")
        if place is Place.BLOCK and self.scanner.match(_SUPER):
            self._variable_end()
            return Super(position)
        expression = self.expressions.value()
        self.scanner.space()
        return Output(position, Trim(left, self._variable_end()), expression)

    def _variable_end(self) -> bool:
        if self.scanner.take("-}}"):
            return True
        self.scanner.expect("}}")
        return False

    def _comment(self) -> Comment:
        position = self.scanner.position
        left = self.scanner.take("{#-") or not self.scanner.take("{#")
        end = self.scanner.source.find("#}", self.scanner.position)
        if end == -1:
            self.scanner.fail("This comment is not closed", position)
        right = end > self.scanner.position and self.scanner.source[end - 1] == "-"
        if end - right == self.scanner.position:
            self.scanner.fail("A comment must not be empty", position)
        self.scanner.position = end + 2
        return Comment(position, Trim(left, right))

    def _tag_name(self) -> str:
        """Return the name of the tag that begins here, without stepping over it."""
        start = self.scanner.position
        self._tag_start()
        name = self.scanner.match(_WORD) or ""
        self.scanner.position = start
        # A name may follow these two without a space.
        for closing in ("endblock", "endmacro"):
            if name.startswith(closing):
                return closing
        return name

    def _tag_start(self) -> bool:
        left = self.scanner.take("{%-") or not self.scanner.take("{%")
        self.scanner.space()
        return left

    def _tag_end(self) -> bool:
        self.scanner.space()
        if self.scanner.take("-%}"):
            return True
        self.scanner.expect("%}")
        return False

    def _tag(self, place: Place) -> Node:
        position = self.scanner.position
        name = self._tag_name()
        reader = self._readers().get(name)
        if reader is None:
            self._refuse_tag(name, position)
        left = self._tag_start()
        self.scanner.expect(name)
        return reader(place, position, left)

    def _readers(self) -> dict[str, Callable[[Place, int, bool], Node]]:
        return {
            "if": self._if,
            "for": self._for,
            "set": self._set,
            "set_global": self._set_global,
            "include": self._include,
            "block": self._block,
            "macro": self._macro,
            "filter": self._filter_section,
            "raw": self._raw,
            "break": self._break,
            "continue": self._continue,
        }

    def _refuse_tag(self, name: str, position: int) -> NoReturn:
        if name in {"extends", "import"}:
            self.scanner.fail(f"`{name}` needs another template, and there is none", position)
        if name in {"else", "elif"} or name.startswith("end"):
            self.scanner.fail(f"`{name}` does not belong here", position)
        self.scanner.fail(f"There is no tag `{name}`" if name else "Expected the name of a tag", position)

    def _closing(self, name: str) -> Trim:
        """Read the tag `name` that closes something."""
        left = self._tag_start()
        self.scanner.expect(name)
        if name in {"endblock", "endmacro"}:
            self.scanner.space()
            if not self.scanner.at("%}", "-%}"):
                self.scanner.identifier()
        return Trim(left, self._tag_end())

    def _enter(self, position: int) -> None:
        self._depth += 1
        if self._depth > limits.MAX_BLOCK_DEPTH:
            self.scanner.fail(f"Tags are nested deeper than {limits.MAX_BLOCK_DEPTH} levels", position)

    def _body(self, place: Place, ends: tuple[str, ...], position: int) -> list[Node]:
        self._enter(position)
        nodes = self._nodes(place, ends)
        self._depth -= 1
        return nodes

    def _if(self, place: Place, position: int, left: bool) -> Node:  # noqa: FBT001  (the signature of a reader)
        branches = [self._branch(place, position, left=left)]
        while (name := self._tag_name()) == "elif":
            branches.append(self._branch(place, position, left=self._branch_start("elif")))
        if name == "else":
            left = self._branch_start("else")
            trim = Trim(left, self._tag_end())
            branches.append(Branch(trim, None, self._body(place, ("endif",), position)))
        return If(position, branches, self._closing("endif"))

    def _branch_start(self, name: str) -> bool:
        left = self._tag_start()
        self.scanner.expect(name)
        return left

    def _branch(self, place: Place, position: int, *, left: bool) -> Branch:
        self.scanner.expect_space()
        condition = self.expressions.logic()
        trim = Trim(left, self._tag_end())
        return Branch(trim, condition, self._body(place, ("elif", "else", "endif"), position))

    def _for(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        self.scanner.expect_space()
        key_name, value_name = None, self.scanner.identifier()
        if self.scanner.take(","):
            self.scanner.space()
            key_name, value_name = value_name, self.scanner.identifier()
        self.scanner.expect_space()
        self.scanner.expect("in")
        self.scanner.expect_space()
        container = self.expressions.for_container()
        start = Trim(left, self._tag_end())
        self._loops += 1
        if self._loops > limits.MAX_LOOP_DEPTH:
            self.scanner.fail(f"Loops are nested deeper than {limits.MAX_LOOP_DEPTH} levels", position)
        body = self._body(Place.LOOP, ("else", "endfor"), position)
        otherwise: list[Node] = []
        while self._tag_name() == "else":
            # If there are several `else`, the last one counts.
            self._branch_start("else")
            self._tag_end()
            otherwise = self._body(Place.LOOP, ("else", "endfor"), position)
        self._loops -= 1
        return For(position, start, body, self._closing("endfor"), key_name, value_name, container, otherwise)

    def _set(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        return self._assignment(position, left=left, is_global=False)

    def _set_global(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        return self._assignment(position, left=left, is_global=True)

    def _assignment(self, position: int, *, left: bool, is_global: bool) -> Node:
        self.scanner.expect_space()
        name = self.scanner.identifier()
        self.scanner.space()
        self.scanner.expect("=")
        expression = self.expressions.value()
        return Set(position, Trim(left, self._tag_end()), name, expression, is_global)

    def _include(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        self.scanner.expect_space()
        names = self._included_names()
        self.scanner.space()
        ignore_missing = self.scanner.match(_IGNORE_MISSING) is not None
        return Include(position, Trim(left, self._tag_end()), names, ignore_missing)

    def _included_names(self) -> tuple[str, ...]:
        if (name := self.scanner.string()) is not None:
            return (name,)
        self.scanner.expect("[")
        names: list[str] = []
        self.scanner.space()
        while not self.scanner.take("]"):
            if (name := self.scanner.string()) is None:
                self.scanner.fail("`include` takes names of templates only")
            names.append(name)
            self.scanner.space()
            if not self.scanner.take(","):
                self.scanner.expect("]")
                break
            self.scanner.space()
        return tuple(names)

    def _block(self, place: Place, position: int, left: bool) -> Node:  # noqa: FBT001  (a reader)
        if place not in _BLOCK_PLACES:
            self.scanner.fail(f"There can be no block {place.value}", position)
        self.scanner.expect_space()
        name = self.scanner.identifier()
        start = Trim(left, self._tag_end())
        body = self._body(Place.BLOCK, ("endblock",), position)
        return Block(position, start, body, self._closing("endblock"), name)

    def _macro(self, place: Place, position: int, left: bool) -> Node:  # noqa: FBT001  (a reader)
        if place is not Place.TOP or self._depth:
            self.scanner.fail("Macros can be defined at the top level only", position)
        self.scanner.expect_space()
        name = self.scanner.identifier()
        if name in self._macros:
            self.scanner.fail(f"The macro `{name}` is defined twice", position)
        self._macros.add(name)
        self.scanner.space()
        parameters = self._macro_parameters()
        start = Trim(left, self._tag_end())
        body = self._body(Place.MACRO, ("endmacro",), position)
        return Macro(position, start, body, self._closing("endmacro"), name, parameters)

    def _macro_parameters(self) -> dict[str, Expression | None]:
        self.scanner.expect("(")
        parameters: dict[str, Expression | None] = {}
        self.scanner.space()
        if self.scanner.take(")"):
            return parameters
        while True:
            self.scanner.space()
            name = self.scanner.identifier()
            parameters[name] = self.expressions.literal() if self.scanner.take("=") else None
            self.scanner.space()
            if not self.scanner.take(","):
                self.scanner.expect(")")
                return parameters

    def _filter_section(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        self.scanner.expect_space()
        at = self.scanner.position
        name, arguments = self.expressions.filter_call()
        section_filter = None if name == "safe" else self.expressions.named_filter(at, name, arguments)
        start = Trim(left, self._tag_end())
        body = self._body(Place.SECTION, ("endfilter",), position)
        return FilterSection(position, start, body, self._closing("endfilter"), section_filter)

    def _raw(self, place: Place, position: int, left: bool) -> Node:  # noqa: ARG002, FBT001  (a reader)
        start = Trim(left, self._tag_end())
        end = _END_RAW.search(self.scanner.source, self.scanner.position)
        if end is None:
            self.scanner.fail("The template ends before {% endraw %}", position)
        text = self.scanner.source[self.scanner.position : end.start()]
        self.scanner.position = end.end()
        return Raw(position, start, text, Trim(end.group(1) == "-", end.group(2) == "-"))

    def _break(self, place: Place, position: int, left: bool) -> Node:  # noqa: FBT001  (the signature of a reader)
        return self._loop_control(place, Jump.BREAK, position, left=left)

    def _continue(self, place: Place, position: int, left: bool) -> Node:  # noqa: FBT001  (the signature of a reader)
        return self._loop_control(place, Jump.CONTINUE, position, left=left)

    def _loop_control(self, place: Place, jump: Jump, position: int, *, left: bool) -> Node:
        if place is not Place.LOOP:
            self.scanner.fail(f"`{jump.value}` must stand in a loop", position)
        return LoopControl(position, Trim(left, self._tag_end()), jump)
