"""Hiding the values of Kubernetes Secrets in a manifest that people look at. Pure.

Works on the text, so that everything else is shown as it was published, comments and spacing included.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

import yaml

MASK = '"********"'
UNREADABLE = "# Not shown: this text cannot be read as YAML, so secrets in it cannot be told from the rest.\n"

_SECRET_KINDS = {"Secret"}
_SECRET_LISTS = {"SecretList"}
_SECRET_FIELDS = {"data", "stringData"}
# `kubectl apply` keeps a copy of the whole Secret here.
_COPY = "kubectl.kubernetes.io/last-applied-configuration"
# No real manifest comes near; the parser's time grows with the square of the depth.
_MAX_DEPTH = 200
_BOM = "\ufeff"


@dataclass(eq=False, slots=True)
class _Node:
    """A part of the text: a scalar with its value, or a collection with the nodes in it, keys before values."""

    start: int
    end: int
    value: str | None = None
    is_mapping: bool = False
    parts: list["_Node"] = field(default_factory=list)

    def pairs(self) -> Iterator[tuple[str | None, "_Node"]]:
        """The entries of a mapping, those merged in by `<<` included. A key that is no scalar is None."""
        waiting, seen = [self], {id(self)}
        while waiting:
            node = waiting.pop()
            for key, value in zip(node.parts[::2], node.parts[1::2], strict=True):
                yield key.value, value
                if key.value == "<<":
                    for merged in (value, *value.parts):
                        if merged.is_mapping and id(merged) not in seen:
                            seen.add(id(merged))
                            waiting.append(merged)

    def named(self, names: Container[str | None]) -> list["_Node"]:
        return [value for key, value in self.pairs() if key in names]


def mask_secrets(text: str) -> str:
    """The text with each value under `data` and `stringData` of a Secret replaced by a mask.

    Secrets in lists count too, and so does the copy of itself that `kubectl apply` leaves in an annotation.
    Text that is no YAML is replaced as a whole.
    """
    body = text.removeprefix(_BOM)
    try:
        documents = list(_documents(body))
    except (yaml.YAMLError, KeyError, _TooDeep):  # KeyError: an alias without an anchor
        return UNREADABLE
    spans = sorted({(node.start, node.end) for root in documents for node in _secret_values(root)})
    return text[: len(text) - len(body)] + _replace(body, spans)


class _TooDeep(Exception):
    pass


def _documents(text: str) -> Iterator[_Node]:
    # From events, not `yaml.compose`: that recurses, and follows a hostile text down until the process dies.
    anchors: dict[str, _Node] = {}
    opened: list[_Node] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            anchors = {}
            opened = [_Node(0, 0)]
        elif isinstance(event, yaml.DocumentEndEvent):
            yield opened[0]
        elif isinstance(event, yaml.AliasEvent):
            opened[-1].parts.append(anchors[event.anchor or ""])
        elif isinstance(event, yaml.CollectionEndEvent):
            opened.pop().end = _node(event).end
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event)
            if event.anchor is not None:
                anchors[event.anchor] = node
            opened[-1].parts.append(node)
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append(node)
                if len(opened) > _MAX_DEPTH:
                    raise _TooDeep


def _node(event: yaml.Event) -> _Node:
    assert event.start_mark is not None and event.end_mark is not None  # noqa: S101, PT018  # the parser sets both
    return _Node(
        event.start_mark.index,
        event.end_mark.index,
        value=event.value if isinstance(event, yaml.ScalarEvent) else None,
        is_mapping=isinstance(event, yaml.MappingStartEvent),
    )


def _secret_values(root: _Node) -> Iterator[_Node]:
    for node in _all(root):
        if not node.is_mapping:
            continue
        kinds = {kind.value for kind in node.named({"kind"})}
        if kinds & _SECRET_KINDS:
            yield from _values_of(node)
        if kinds & _SECRET_LISTS:
            for items in node.named({"items"}):
                for item in items.parts:
                    yield from _values_of(item)


def _values_of(secret: _Node) -> Iterator[_Node]:
    if not secret.is_mapping:
        return
    for values in secret.named(_SECRET_FIELDS):
        if values.is_mapping:
            for _, value in values.pairs():
                # What `<<` merges is looked at entry by entry, so that its keys stay readable.
                if not value.is_mapping or value not in _merged(values):
                    yield value
        else:
            yield values
    for metadata in secret.named({"metadata"}):
        for annotations in metadata.named({"annotations"}):
            yield from annotations.named({_COPY})


def _merged(mapping: _Node) -> list[_Node]:
    return [value for key, value in mapping.pairs() if key == "<<"]


def _all(root: _Node) -> Iterator[_Node]:
    """Each node once, however often it is referred to."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        yield node
        for part in node.parts:
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    pieces, position = [], 0
    for start, end in spans:
        if start < position or start == end:
            continue  # Inside a span that is hidden already, or nothing to hide.
        hidden = text[start:end]
        pieces += [text[position:start], MASK, hidden[len(hidden.rstrip()) :]]
        position = end
    return "".join([*pieces, text[position:]])
