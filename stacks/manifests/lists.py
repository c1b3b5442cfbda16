"""Splitting lists of objects (`kind: List`, as `kubectl get -o yaml` writes them) into documents. Pure."""

import re
from collections.abc import Iterator
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from stacks.manifests.findings import ManifestError
from stacks.manifests.syntax import BOM, index_of, line_of

_ITEM_LEVEL: Final = 2
_SPACES_AT_END = re.compile(r"[ \t]+\Z")


def is_list(kind: str, *, has_items: bool) -> bool:
    """Whether kubectl splits an object of this kind into its items. Agents do not."""
    return kind == "List" or (kind.endswith("List") and has_items)


def expand_lists(text: str) -> str:
    """The text with each list of objects replaced by its items, each in its own document. The rest is not changed.

    `check_manifest` must have accepted the text. Raises ManifestError for a list that cannot be split, because an item
    has an alias to something outside of it.
    """
    body = text.removeprefix(BOM)
    pieces, position = [], 0
    for number, document in enumerate(_documents(body), 1):
        if not document.is_list:
            continue
        if document.crossing is not None:
            raise ManifestError(
                f"the list cannot be expanded: the alias *{document.crossing} repeats something outside of its item.",
                document=number,
                line=document.line,
            )
        start, end = document.span
        items = "---\n".join(_dedented(body, *item) for item in document.items)
        is_at_line_start = body[:start].rpartition("\n")[2] == ""
        pieces += [body[position:start], "" if is_at_line_start else "\n", items]
        position = end
    return "".join([*pieces, body[position:]]) if pieces else text


class _Document:
    """What is known about a document after its last event."""

    def __init__(self) -> None:
        self.line = 0
        self.span = (0, 0)
        # The start, the end and the column of each item.
        self.items: list[tuple[int, int, int]] = []
        # The name of an alias in an item whose anchor is outside the item.
        self.crossing: str | None = None
        self._kind = ""
        self._has_items = False
        # The lists and mappings that are still open.
        self._opened: list[Event] = []
        # The current field of the object, and whether the next scalar is a field.
        self._field = ""
        self._field_is_next = True
        self._anchors_of_item: set[str] = set()

    @property
    def is_list(self) -> bool:
        return self._has_items and is_list(self._kind, has_items=True)

    def add(self, event: NodeEvent) -> None:
        level = len(self._opened)
        if level == 1 and isinstance(self._opened[0], MappingStartEvent):
            self._add_to_object(event)
        elif level == _ITEM_LEVEL:
            self._anchors_of_item = set()
        if level >= _ITEM_LEVEL and self._field == "items":
            if not isinstance(event, AliasEvent):
                self._anchors_of_item.add(event.anchor or "")
            elif event.anchor not in self._anchors_of_item:
                self.crossing = event.anchor
        if isinstance(event, CollectionStartEvent):
            self._opened.append(event)

    def _add_to_object(self, event: NodeEvent) -> None:
        if self._field_is_next:
            self._field = event.value if isinstance(event, ScalarEvent) else ""
        elif self._field == "kind" and isinstance(event, ScalarEvent):
            self._kind = event.value
        elif self._field == "items":
            self._has_items = isinstance(event, SequenceStartEvent)
        self._field_is_next = not self._field_is_next

    def end(self, event: CollectionEndEvent) -> None:
        mark = self._opened.pop().start_mark
        start, end = index_of(mark), index_of(event.end_mark)
        if not self._opened:
            self.line, self.span = line_of(mark) or 0, (start, end)
        elif len(self._opened) == _ITEM_LEVEL and self._field == "items" and mark is not None:
            self.items.append((start, end, mark.column))


def _documents(text: str) -> Iterator[_Document]:
    document = _Document()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, DocumentStartEvent):
            document = _Document()
        elif isinstance(event, DocumentEndEvent):
            yield document
        elif isinstance(event, CollectionEndEvent):
            document.end(event)
        elif isinstance(event, NodeEvent):
            document.add(event)


def _dedented(text: str, start: int, end: int, column: int) -> str:
    """A node of the text, which begins in that column, as a document of its own."""
    node = re.sub(rf"(?m)^ {{1,{column}}}", "", text[start:end]) if column else text[start:end]
    node = _SPACES_AT_END.sub("", node)
    return node if node.endswith("\n") else f"{node}\n"
