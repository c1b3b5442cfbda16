"""The parts of a document that are kept until its end.

These are the names of objects, the nodes that aliases repeat, and lists and mappings that are keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stacks.manifests.scalars import TAGGED, Value, custom_name, is_custom


class Cost(NamedTuple):
    """What it costs to read a node, including what its aliases repeat."""

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
    # The kept content, each key before its value, and the line of each part.
    parts: "list[Node]"
    lines: list[int]
    # Whether the collection itself is a key of the mapping around it.
    is_key: bool = False
    # Whether the content of its parts is kept too.
    keeps_all: bool = False
    anchor: "Anchor | None" = None
    # The cost of the text before the collection; only set if it has an anchor.
    before: Cost | None = None
    # The collection as a key, after it was computed.
    value: Value | None = None

    def entries(self) -> "Iterator[tuple[Node, Node, int]]":
        """The key, the value and the line of the value of each kept entry; a list has no entries."""
        if not self.is_mapping:
            return iter(())
        return zip(self.parts[::2], self.parts[1::2], self.lines[1::2], strict=True)

    def items(self) -> "Iterator[tuple[Node, int]]":
        """Each part with its line."""
        return zip(self.parts, self.lines, strict=True)


Node = Value | Collection


@dataclass(slots=True)
class Anchor:
    """A node with a name, and what it costs to repeat it by an alias."""

    node: Node
    # The number that agents give to the anchor: how many names there were before it in the document.
    number: int
    # None until the node has ended.
    cost: Cost | None = None
    # The levels of lists and mappings in the node, including what its aliases repeat.
    depth: int = 0


@dataclass(slots=True)
class Open:
    """A list, a mapping or a document that is still open."""

    # The keys that were read; only a mapping has them.
    keys: set[Value] | None
    # The deepest level inside, including what aliases repeat. A document is at level 0.
    deepest: int
    # Whether the next node is a key; only a mapping has keys.
    key_is_next: bool
    # The kept part of the collection.
    kept: Collection | None = None
    # The key of the next node, if the key is a string.
    key: str | None = None


class Values:
    """Makes values of lists and mappings, so that equal ones are the same key.

    Each gets a number, so that comparing them takes no longer than reading them.
    """

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def of(self, node: Node) -> Value:
        """The value of a node whose parts are all kept. It recurses at most as deep as a document may be nested."""
        if not isinstance(node, Collection):
            return node
        if node.value is None:
            parts = tuple(map(self.of, node.parts))
            # The order of the entries of a mapping does not matter.
            content = frozenset(zip(parts[::2], parts[1::2], strict=True)) if node.is_mapping else parts
            node.value = "collection", self._numbers.setdefault(content, len(self._numbers))
            if node.tag is not None and is_custom(node.tag):
                node.value = TAGGED, (custom_name(node.tag), node.value)
        return node.value
