"""YAML as nodes that know their places in the text, of a manifest or of a template of one. Pure, and linear in time."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

# The name by which keys are looked up that a template makes up.
MADE_UP: Final = "{{"
# Entries under other keys are found only by going through all of them.
KNOWN_NAMES: Final = frozenset(
    {"data", "stringData", MADE_UP, "<<", "kind", "items", "metadata", "namespace", "name", "annotations"}
)
# No real manifest comes near; the parser's time grows with the square of the depth.
_MAX_DEPTH = 200
# The tags of templates. An unclosed one runs to the end, so that no tag is looked for twice.
TAG: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
# Between values, a `#` always begins a comment.
_COMMENT: Final = re.compile("#[ \\t]*([^\n\r\x85\u2028\u2029]*)")
_WORDS: Final = re.compile(r"[^\s][^\r\n]*")
_BINARY = "tag:yaml.org,2002:binary"

# From and to which character of the text.
Span = tuple[int, int]


def without_tags(source: str) -> str:
    # Of the same length, so that places in the one are places in the other.
    return TAG.sub(lambda tag: ("x" if tag[0].startswith("{{") else " ") * len(tag[0]), source)


def without_comment_tags(source: str) -> str:
    return TAG.sub(lambda tag: "" if tag[0].startswith("{#") else tag[0], source)


@dataclass(eq=False, slots=True)
class Node:
    """A part of the text: a scalar with its value, or a collection with the nodes in it, keys before values."""

    span: Span
    value: str | None = None
    is_mapping: bool = False
    # Whether tags of a template are in it: what it will be is not known.
    is_made_up: bool = False
    parts: list["Node"] = field(default_factory=list)
    # Where each part is written, which for an alias is not where the part is.
    places: list[int] = field(default_factory=list)
    # The entries whose key has one of the names that matter.
    known: dict[str, list["Entry"]] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        return self.value is None and not self.is_mapping

    def entries(self) -> Iterator["Entry"]:
        return map(self.entry, range(len(self.parts) // 2))

    def entry(self, number: int) -> "Entry":
        at = 2 * number
        end = self.places[at + 2] if at + 2 < len(self.places) else self.span[1]
        return Entry(self.parts[at], self.parts[at + 1], (self.places[at], end))

    def mappings(self) -> Iterator["Node"]:
        """The mapping and those merged into it by `<<`; of what is no mapping none."""
        waiting, seen = [self] if self.is_mapping else [], {id(self)}
        while waiting:
            mapping = waiting.pop()
            yield mapping
            for entry in mapping.known.get("<<", ()):
                for merged in [entry.value] if entry.value.is_mapping else entry.value.parts:
                    if merged.is_mapping and id(merged) not in seen:
                        seen.add(id(merged))
                        waiting.append(merged)

    def entries_named(self, *names: str) -> Iterator["Entry"]:
        for mapping in self.mappings():
            for name in names:
                yield from mapping.known.get(name, ())

    def named(self, name: str) -> list["Node"]:
        return [entry.value for entry in self.entries_named(name)]


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One key of a mapping with its value; the span ends where the next key begins."""

    key: Node
    value: Node
    span: Span


# What all scalars have, of which there may be a million.
_NONE: Final[list[Node]] = []
_NOWHERE: Final[list[int]] = []
_NOTHING: Final[dict[str, list[Entry]]] = {}


class TooDeep(Exception):
    pass


class ReadText:
    """A text that was read: its documents, and where what is said in comments is, in order.

    Raises YAMLError, KeyError for an alias without an anchor, and TooDeep. `source` is as for `secret_spans`.
    With `is_masked`, masks may have taken anchors away.
    """

    def __init__(self, text: str, source: str | None, *, is_masked: bool = False) -> None:
        self._text, self._source, self._is_masked = text, source, is_masked
        self._comments: list[Span] = []
        # The end of the last scalar.
        self._position = 0
        self.documents = list(self._documents())
        self._note_comments(len(text))
        self.comments = sorted({*self._comments, *self._tag_comments()})

    def _documents(self) -> Iterator[Node]:
        # From events, not `yaml.compose`: that recurses, and follows a hostile text down until the process dies.
        anchors: dict[str, Node] = {}
        opened: list[Node] = []
        for event in yaml.parse(self._text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                anchors = {}
                opened = [Node((0, 0))]
            elif isinstance(event, yaml.DocumentEndEvent):
                yield opened[0]
            elif isinstance(event, yaml.AliasEvent):
                name, span = event.anchor or "", _span(event)
                is_lost = self._is_masked and name not in anchors
                opened[-1].parts.append(Node(span, "") if is_lost else anchors[name])
                opened[-1].places.append(span[0])
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(opened.pop(), _span(event)[1])
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event)
                if event.anchor is not None:
                    anchors[event.anchor] = node
                opened[-1].parts.append(node)
                opened[-1].places.append(node.span[0])
                if isinstance(event, yaml.CollectionStartEvent):
                    opened.append(node)
                    if len(opened) > _MAX_DEPTH:
                        raise TooDeep

    def _node(self, event: yaml.NodeEvent) -> Node:
        span = _span(event)
        if not isinstance(event, yaml.ScalarEvent):
            return Node(span, is_mapping=isinstance(event, yaml.MappingStartEvent))
        self._note_comments(span[0])
        self._position = max(self._position, span[1])
        value = _decoded(event.value) if event.tag == _BINARY else event.value
        is_made_up = False
        if self._source is not None:
            written = self._source[span[0] : span[1]]
            is_made_up = TAG.search(written) is not None
            if "{#" in written:
                value = without_comment_tags(written).strip("\"'")
        return Node(span, value, is_made_up=is_made_up, parts=_NONE, places=_NOWHERE, known=_NOTHING)

    @staticmethod
    def _close(node: Node, end: int) -> None:
        node.span = (node.span[0], end)
        if node.is_mapping:
            for number, key in enumerate(node.parts[::2]):
                name = MADE_UP if key.is_made_up and key.value not in KNOWN_NAMES else key.value
                if name is not None and name in KNOWN_NAMES:
                    node.known.setdefault(name, []).append(node.entry(number))

    def is_line_of_its_own(self, comment: Span) -> bool:
        """Whether nothing but the comment is on its line."""
        before = self._text[self._text.rfind("\n", 0, comment[0]) + 1 : comment[0]]
        return before.strip(" \t#") == ""

    def start_of_comments_above(self, position: int) -> int:
        """Where the lines of comments begin that stand right above this place; the place itself if there are none."""
        start = line = self._text.rfind("\n", 0, position) + 1
        while line > 0:
            line = self._text.rfind("\n", 0, line - 1) + 1
            if not self._text[line:start].lstrip(" \t").startswith("#"):
                break
            start = line
        return min(start, position)

    def _note_comments(self, end: int) -> None:
        start = self._text.find("#", self._position, end)
        if start >= 0:
            self._comments += [comment.span(1) for comment in _COMMENT.finditer(self._text, start, end)]

    def _tag_comments(self) -> Iterator[Span]:
        """The lines of the template's own comments."""
        for tag in TAG.finditer(self._source or ""):
            if tag[0].startswith("{#"):
                inner = len(tag[0].removesuffix("#}").removesuffix("-"))
                start = tag.start() + (3 if tag[0].startswith("{#-") else 2)
                for words in _WORDS.finditer(tag.string, start, tag.start() + inner):
                    yield words.span()


def _span(event: yaml.Event) -> Span:
    assert event.start_mark is not None and event.end_mark is not None  # noqa: S101, PT018  # the parser sets both
    return event.start_mark.index, event.end_mark.index


def _decoded(value: str) -> str:
    try:
        return b64decode(value).decode(errors="replace")
    except (NotBase64, ValueError):
        return value


def from_base64(value: str) -> str:
    """What the value says in base64; empty if it is none, or says no text."""
    try:
        return b64decode("".join(value.split()), validate=True).decode()
    except (NotBase64, ValueError):
        return ""


def collections_of(root: Node) -> Iterator[Node]:
    """Each list and mapping once, however often it is referred to."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        yield node
        for part in node.parts:
            if part.value is None and id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def documents_with(text: str, concerns: Callable[[str, str], bool]) -> Iterator[Span]:
    """The documents that have an alias, something encoded, or a scalar that `concerns`.

    `concerns` is given the scalar before it and its own value. Documents are told apart without making nodes, which
    takes five times as long as parsing. Raises YAMLError, and TooDeep as ReadText does.
    """
    start, depth, before, is_wanted = 0, 1, "", False
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        kind = type(event)
        if isinstance(event, yaml.ScalarEvent):
            is_wanted = is_wanted or event.tag == _BINARY or concerns(before, event.value)
            before = event.value
        elif kind is yaml.AliasEvent:
            is_wanted = True
        elif isinstance(event, yaml.DocumentStartEvent):
            # Where nothing marks the beginning, comments above belong to the document.
            start = _span(event)[0] if event.explicit else start
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise TooDeep
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentEndEvent):
            end = _span(event)[1]
            if is_wanted:
                yield start, end
            start, before, is_wanted = end, "", False
