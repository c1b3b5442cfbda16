"""What a template consists of once it is parsed: its nodes, and the macros and blocks among them by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from tera.errors import TemplateSyntaxError
from tera.nodes import Block, Enclosing, For, If, Macro, Node
from tera.scanner import Lines


@dataclass(frozen=True, slots=True)
class Program:
    body: Sequence[Node]
    macros: dict[str, Macro] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)


def program_of(nodes: Sequence[Node], lines: Lines) -> Program:
    """Return the program of a template.

    Raises TemplateSyntaxError for a block that is defined twice or contains itself.
    """
    macros = {node.name: node for node in nodes if isinstance(node, Macro)}
    program = Program(nodes, macros)
    _collect_blocks(program, nodes, lines)
    _refuse_cycles(program, nodes, lines, opened=[], finished=set())
    return program


def _collect_blocks(program: Program, nodes: Sequence[Node], lines: Lines) -> None:
    """Find the blocks that stand at the top or directly in another block: their names are unique."""
    for node in nodes:
        if isinstance(node, Block):
            if node.name in program.blocks:
                _fail(f"The block `{node.name}` is defined twice.", node, lines)
            program.blocks[node.name] = node
            _collect_blocks(program, node.body, lines)


def _refuse_cycles(
    program: Program, nodes: Sequence[Node], lines: Lines, *, opened: list[str], finished: set[int]
) -> None:
    for node in nodes:
        for inner in _bodies(node):
            _refuse_cycles(program, inner, lines, opened=opened, finished=finished)
        if isinstance(node, Block):
            definition = program.blocks.get(node.name, node)
            if node.name in opened:
                _fail(f"The block `{node.name}` contains itself.", node, lines)
            if id(definition) not in finished:
                opened.append(node.name)
                _refuse_cycles(program, definition.body, lines, opened=opened, finished=finished)
                opened.pop()
                finished.add(id(definition))


def _bodies(node: Node) -> Iterator[Sequence[Node]]:
    """Give the bodies of a node; that of a block is looked up by its name instead."""
    if isinstance(node, If):
        yield from (branch.body for branch in node.branches)
    elif isinstance(node, Enclosing) and not isinstance(node, Block):
        yield node.body
        if isinstance(node, For):
            yield node.otherwise


def _fail(message: str, node: Node, lines: Lines) -> NoReturn:
    raise TemplateSyntaxError(message, *lines.at(node.position))
