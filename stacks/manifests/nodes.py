"""The parts of a document that are looked at again once it has been read: what names an object, what aliases repeat,
and lists and mappings that are keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stacks.manifests.scalars import TAGGED, Value, custom_name, is_custom


class Cost(NamedTuple):
    """What a node takes to read, aliases followed."""

    events: int
    characters: int
    aliases: int

    def since(self, before: "Cost") -> "Cost":
        return Cost(
            self.events - before.events, self.characters - before.characters, self.aliases - before.aliases
        )


@dataclass(eq=False, slots=True)
class Collection:
    """A list or a mapping, or a document."""

    line: int
    tag: str | None
    is_mapping: bool
    # What is in it, keys before values, if that is kept, and the line of each.
    parts: "list[Node]"
    lines: list[int]
    # Whether it is itself a key of the mapping around it.
    is_key: bool = False
    # Whether the parts of what is in it are kept too.
    keeps_all: bool = False
    anchor: "Anchor | None" = None
    # The cost of the text before it, known if it has an anchor.
    before: Cost | None = None
    # As a key, once that was asked.
    value: Value | None = None

    def entries(self) -> "Iterator[tuple[Node, Node, int]]":
        """Key, value and the line of the value, of each entry that is kept; a list has none."""
        if not self.is_mapping:
            return iter(())
        return zip(self.parts[::2], self.parts[1::2], self.lines[1::2], strict=True)

    def items(self) -> "Iterator[tuple[Node, int]]":
        """Each part with its line."""
        return zip(self.parts, self.lines, strict=True)


Node = Value | Collection


@dataclass(slots=True)
class Anchor:
    """A node with a name, and what an alias to it repeats."""

    node: Node
    # As agents number the anchors of a document: by how many names there were before it.
    number: int
    # None until the node has ended.
    cost: Cost | None = None
    # Levels of lists and mappings in the node, aliases followed.
    depth: int = 0


class Values:
    """Lists and mappings as values, so that equal ones are one key. Each becomes a number, so that comparing them takes
    no longer than reading them.
    """

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def of(self, node: Node) -> Value:
        """The value of a node whose parts are all kept. Recurses as deep as documents may be."""
        if not isinstance(node, Collection):
            return node
        if node.value is None:
            parts = tuple(map(self.of, node.parts))
            # The order of a mapping's entries is no part of it.
            content = frozenset(zip(parts[::2], parts[1::2], strict=True)) if node.is_mapping else parts
            node.value = "collection", self._numbers.setdefault(content, len(self._numbers))
            if node.tag is not None and is_custom(node.tag):
                node.value = TAGGED, (custom_name(node.tag), node.value)
        return node.value
