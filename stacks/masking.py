"""Hiding the values of Kubernetes Secrets in a manifest that people look at. Pure.

Works on the text, so that everything else is shown as it was published, comments and spacing included.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

import yaml

# Who has it may see what is hidden, one look at a time, each in the audit log.
REVEAL_PERMISSION = "stacks.reveal_secrets"
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
# The tags of templates. An unclosed one runs to the end, so that no tag is looked for twice.
_TAG: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
# One expression without a text in it: what it will be is not in the template.
_EXPRESSION: Final = re.compile(r"""(["']?)\{\{[^"'`{}]*\}\}\1""")
_DIGEST_KEY: Final = token_bytes(32)


@dataclass(eq=False, slots=True)
class _Node:
    """A part of the text: a scalar with its value, or a collection with the nodes in it, keys before values."""

    start: int
    end: int
    value: str | None = None
    is_mapping: bool = False
    parts: list["_Node"] = field(default_factory=list)

    def pairs(self) -> Iterator[tuple[str | None, "_Node"]]:
        """The entries, those merged in by `<<` included; of what is no mapping none. The key is None for no scalar."""
        waiting, seen = [self] if self.is_mapping else [], {id(self)}
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


# What stands for a hidden text.
Hide = Callable[[str], str]


def _mask(_hidden: str) -> str:
    return MASK


def mask_secrets(text: str, hide: Hide = _mask) -> str:
    """The text with each value under `data` and `stringData` of a Secret replaced by a mask.

    Secrets in lists count too, and so does the copy of itself that `kubectl apply` leaves in an annotation.
    Text that is no YAML, and may be about Secrets, is replaced as a whole.
    """
    spans = _secret_spans(text)
    return _unreadable(text, hide) if spans is None else _replace(text, spans, hide)


def mask_template(source: str, hide: Hide = _mask) -> str:
    """The source of a template with the same values masked, but for those that are only an expression.

    It is read as the YAML that it is without its tags. A kind that tags make up, and that may become Secret, counts.
    """
    spans = _secret_spans(_without_tags(source), source)
    if spans is None:
        return _unreadable(source, hide)
    literal = [(start, end) for start, end in spans if not _EXPRESSION.fullmatch(source[start:end].strip())]
    return _replace(source, literal, hide)


def comparable(masked: Callable[[str, Hide], str], text: str) -> str:
    """The text as `masked` gives it, but with a word in place of each mask that is the same for the same value.

    Line for line like the masked text. The words change with each start of the process and are never shown.
    """
    return masked(text, _digest)


class ValueUnknown(Exception):
    """A mask stands where nothing is known that it hides. `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def restore_secrets(text: str, base: str) -> str:
    """`text` with each mask replaced by the value that stands in the same place of `base`: in the Secret of the
    same name, under the same key. So nobody learns a value by moving its mask to where it would be shown.

    Raises ValueUnknown for a mask in any other place of a Secret. Elsewhere a mask is only a text.
    """
    known = _placed(base)
    pieces, position = [], 0
    for place, (start, end) in _places(text):
        if start < position or text[start:end].strip() != MASK:
            continue
        if (value := known.get(place)) is None:
            raise ValueUnknown(_line_at(text, start))
        pieces += [text[position:start], value]
        position = start + len(MASK)
    return "".join([*pieces, text[position:]])


def masked_line(text: str) -> int | None:
    """The first line of a manifest or template, counted from 1, on which a mask stands in place of a value."""
    for start, end in _secret_spans(_without_tags(text), text) or ():
        if text[start:end].strip() == MASK:
            return _line_at(text, start)
    return None


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _without_tags(source: str) -> str:
    # Of the same length, so that places in the one are places in the other.
    return _TAG.sub(lambda tag: ("x" if tag[0].startswith("{{") else " ") * len(tag[0]), source)


def _digest(hidden: str) -> str:
    return f'"{blake2b(hidden.encode(), key=_DIGEST_KEY, digest_size=16).hexdigest()}"'


def _unreadable(text: str, hide: Hide) -> str:
    return UNREADABLE if hide is _mask else f"{hide(text)}\n"


# Namespace and name of a Secret, the field and the key; None is not there or no scalar.
_Place = tuple[str | None, ...]


def _secret_spans(text: str, source: str | None = None) -> list[tuple[int, int]] | None:
    """Where the values to hide are, in order; None when the text cannot be read and may be about Secrets.

    `source` is the template, of the same length, that `text` is without its tags.
    """
    found = _found(text, source)
    return None if found is None else sorted({span for _, span in found})


def _places(text: str) -> list[tuple[_Place, tuple[int, int]]]:
    """The values to hide, in order, each with its place; none when the text cannot be read."""
    return sorted(_found(text) or (), key=lambda found: found[1])


def _placed(text: str) -> dict[_Place, str]:
    """The value in each place; a place that is there twice is none."""
    values: dict[_Place, str] = {}
    doubled = set()
    for place, (start, end) in _places(text):
        if place in values:
            doubled.add(place)
        values[place] = text[start:end].rstrip()
    return {place: value for place, value in values.items() if place not in doubled}


# One page asks several times about the same few texts, and megabytes take seconds to read.
@lru_cache(maxsize=4)
def _found(text: str, source: str | None = None) -> tuple[tuple[_Place, tuple[int, int]], ...] | None:
    if "Secret" not in (source or text) and "\\" not in text:
        # Without an escape the word cannot be spelled in any other way.
        return ()
    body = text.removeprefix(_BOM)
    offset = len(text) - len(body)
    written = body if source is None else source[offset:]
    try:
        documents = list(_documents(body))
    except (yaml.YAMLError, KeyError, _TooDeep):  # KeyError: an alias without an anchor
        return None
    return tuple(
        (place, (node.start + offset, node.end + offset))
        for root in documents
        for place, node in _secret_values(root, written)
    )


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


def _secret_values(root: _Node, written: str) -> Iterator[tuple[_Place, _Node]]:
    for node in _all(root):
        if not node.is_mapping:
            continue
        kinds = {name for kind in node.named({"kind"}) for name in _kinds(kind, written)}
        if kinds & _SECRET_KINDS:
            yield from _values_of(node)
        if kinds & _SECRET_LISTS:
            for items in node.named({"items"}):
                for item in items.parts:
                    yield from _values_of(item)


def _kinds(kind: _Node, written: str) -> set[str | None]:
    """What the kind is, and what it may become where a template makes it up."""
    text = written[kind.start : kind.end]
    may_become = _TAG.search(text) is not None and "Secret" in text
    return {kind.value} | (_SECRET_KINDS | _SECRET_LISTS if may_become else set())


def _values_of(secret: _Node) -> Iterator[tuple[_Place, _Node]]:
    metadata = secret.named({"metadata"})
    identity = tuple(
        next((node.value for each in metadata for node in each.named({name})), None)
        for name in ("namespace", "name")
    )
    for field_name, values in secret.pairs():
        if field_name not in _SECRET_FIELDS:
            continue
        if values.is_mapping:
            for key, value in values.pairs():
                # What `<<` merges is looked at entry by entry, so that its keys stay readable.
                if not value.is_mapping or value not in _merged(values):
                    yield (*identity, field_name, key), value
        else:
            yield (*identity, field_name), values
    for each in metadata:
        for annotations in each.named({"annotations"}):
            for copy in annotations.named({_COPY}):
                yield (*identity, _COPY), copy


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


def _replace(text: str, spans: list[tuple[int, int]], hide: Hide) -> str:
    pieces, position = [], 0
    for start, end in spans:
        if start < position or start == end:
            continue  # Inside a span that is hidden already, or nothing to hide.
        hidden = text[start:end]
        value = hidden.rstrip()
        pieces += [text[position:start], hide(value), hidden[len(value) :]]
        position = end
    return "".join([*pieces, text[position:]])
