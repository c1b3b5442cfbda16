"""Where in a manifest, or in a template of one, the values of Kubernetes Secrets are. Pure, and linear in time.

Comments among those values count too. What may become a Secret counts as one.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import yaml

# What is shown in place of a value: a copy that was hidden is found again by it.
MASKED = "********"
_KIND = "Secret"
_LIST_KIND = "SecretList"
# `kubectl apply` keeps a copy of the whole object here.
_COPY = "kubectl.kubernetes.io/last-applied-configuration"
# The name by which keys are looked up that a template makes up.
_MADE_UP = "{{"
# Where the values of a Secret are, or may be.
_FIELDS = ("data", "stringData", _MADE_UP)
_NAMES = {*_FIELDS, _COPY, "<<", "kind", "items", "metadata", "namespace", "name", "annotations"}
# No real manifest comes near; the parser's time grows with the square of the depth.
_MAX_DEPTH = 200
_BOM = "\ufeff"
# The tags of templates. An unclosed one runs to the end, so that no tag is looked for twice.
_TAG: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
# Between values, a `#` always begins a comment.
_COMMENT: Final = re.compile("#[ \\t]*([^\n\r\x85\u2028\u2029]*)")
_WORDS: Final = re.compile(r"[^\s][^\r\n]*")
# A letter that JSON spells by its number.
_JSON_LETTER: Final = re.compile(r"\\u00[4-7]")
_BINARY = "tag:yaml.org,2002:binary"
# With one of these a word can be spelled in another way.
_OTHER_SPELLINGS = ("\\", "!!", "!<", "%TAG")

# From and to which character of the text.
Span = tuple[int, int]
# Kind, namespace and name of an object, the field and the key, and which comment after it; None is not there or no
# scalar.
Place = tuple[str | None, ...]
Found = tuple[Place, Span]


def secret_spans(text: str, source: str | None = None) -> list[Span] | None:
    """Where the values to hide are, in order; None when the text cannot be read and may be about Secrets.

    `source` is the template, of the same length, that `text` is without its tags.
    """
    found = _found(text, source)
    return None if found is None else sorted({span for _, span in found})


def secret_places(text: str) -> list[Found]:
    """The values to hide, in order, each with its place; none when the text cannot be read."""
    return sorted(_found(text) or (), key=lambda found: found[1])


def without_tags(source: str) -> str:
    # Of the same length, so that places in the one are places in the other.
    return _TAG.sub(lambda tag: ("x" if tag[0].startswith("{{") else " ") * len(tag[0]), source)


@dataclass(eq=False, slots=True)
class _Node:
    """A part of the text: a scalar with its value, or a collection with the nodes in it, keys before values."""

    span: Span
    value: str | None = None
    is_mapping: bool = False
    # Whether tags of a template are in it: what it will be is not known.
    is_made_up: bool = False
    parts: list["_Node"] = field(default_factory=list)
    # Where each part is written, which for an alias is not where the part is.
    places: list[int] = field(default_factory=list)
    # The entries whose key has one of the names that matter.
    known: dict[str, list["_Entry"]] = field(default_factory=dict)

    def entries(self) -> Iterator["_Entry"]:
        return map(self.entry, range(len(self.parts) // 2))

    def entry(self, number: int) -> "_Entry":
        at = 2 * number
        end = self.places[at + 2] if at + 2 < len(self.places) else self.span[1]
        return _Entry(self.parts[at], self.parts[at + 1], (self.places[at], end))

    def mappings(self) -> Iterator["_Node"]:
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

    def entries_named(self, *names: str) -> Iterator["_Entry"]:
        for mapping in self.mappings():
            for name in names:
                yield from mapping.known.get(name, ())

    def named(self, name: str) -> list["_Node"]:
        return [entry.value for entry in self.entries_named(name)]


@dataclass(frozen=True, eq=False, slots=True)
class _Entry:
    """One key of a mapping with its value; the span ends where the next key begins."""

    key: _Node
    value: _Node
    span: Span


# What all scalars have, of which there may be a million.
_NONE: Final[list[_Node]] = []
_NOWHERE: Final[list[int]] = []
_NOTHING: Final[dict[str, list[_Entry]]] = {}


# One page asks several times about the same few texts, and megabytes take seconds to read.
@lru_cache(maxsize=4)
def _found(text: str, source: str | None = None) -> tuple[Found, ...] | None:
    if not _may_be_about_secrets(text, source):
        return ()
    body = text.removeprefix(_BOM)
    offset = len(text) - len(body)
    try:
        read = _Text(body, None if source is None else source[offset:])
    except (yaml.YAMLError, KeyError, _TooDeep):  # KeyError: an alias without an anchor
        return None
    # Each once, though an item of a list of Secrets may be one for two reasons.
    found = dict.fromkeys(each for root in read.documents for each in _Secrets(read.comments).of(root))
    return tuple((place, (start + offset, end + offset)) for place, (start, end) in found)


def _may_be_about_secrets(text: str, source: str | None) -> bool:
    if any(sign in text for sign in (MASKED, *_OTHER_SPELLINGS)):
        return True
    if source is None:
        return _KIND in text
    written = _without_comment_tags(source)
    return _KIND in written or any(_makes_up_kind(line) for line in written.splitlines())


def _makes_up_kind(line: str) -> bool:
    """Whether a kind may stand here that is no plain word."""
    after = [rest.lstrip("\"' \t:") for rest in line.split("kind")[1:]]
    return any(not rest[:1].isalnum() or "{{" in rest or "{%" in rest for rest in after)


def _without_comment_tags(source: str) -> str:
    return _TAG.sub(lambda tag: "" if tag[0].startswith("{#") else tag[0], source)


class _TooDeep(Exception):
    pass


class _Text:
    """A text that was read: its documents, and where what is said in comments is, in order.

    Raises YAMLError, KeyError for an alias without an anchor, and _TooDeep. `source` is as for `secret_spans`.
    """

    def __init__(self, text: str, source: str | None) -> None:
        self._text, self._source = text, source
        self._comments: list[Span] = []
        # The end of the last scalar.
        self._position = 0
        self.documents = list(self._documents())
        self._note_comments(len(text))
        self.comments = sorted({*self._comments, *self._tag_comments()})

    def _documents(self) -> Iterator[_Node]:
        # From events, not `yaml.compose`: that recurses, and follows a hostile text down until the process dies.
        anchors: dict[str, _Node] = {}
        opened: list[_Node] = []
        for event in yaml.parse(self._text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                anchors = {}
                opened = [_Node((0, 0))]
            elif isinstance(event, yaml.DocumentEndEvent):
                yield opened[0]
            elif isinstance(event, yaml.AliasEvent):
                opened[-1].parts.append(anchors[event.anchor or ""])
                opened[-1].places.append(_span(event)[0])
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
                        raise _TooDeep

    def _node(self, event: yaml.NodeEvent) -> _Node:
        span = _span(event)
        if not isinstance(event, yaml.ScalarEvent):
            return _Node(span, is_mapping=isinstance(event, yaml.MappingStartEvent))
        self._note_comments(span[0])
        self._position = max(self._position, span[1])
        value = _decoded(event.value) if event.tag == _BINARY else event.value
        is_made_up = False
        if self._source is not None:
            written = self._source[span[0] : span[1]]
            is_made_up = _TAG.search(written) is not None
            if "{#" in written:
                value = _without_comment_tags(written).strip("\"'")
        return _Node(span, value, is_made_up=is_made_up, parts=_NONE, places=_NOWHERE, known=_NOTHING)

    @staticmethod
    def _close(node: _Node, end: int) -> None:
        node.span = (node.span[0], end)
        if node.is_mapping:
            for number, key in enumerate(node.parts[::2]):
                name = _MADE_UP if key.is_made_up and key.value not in _NAMES else key.value
                if name is not None and name in _NAMES:
                    node.known.setdefault(name, []).append(node.entry(number))

    def _note_comments(self, end: int) -> None:
        start = self._text.find("#", self._position, end)
        if start >= 0:
            self._comments += [comment.span(1) for comment in _COMMENT.finditer(self._text, start, end)]

    def _tag_comments(self) -> Iterator[Span]:
        """The lines of the template's own comments."""
        for tag in _TAG.finditer(self._source or ""):
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


class _Secrets:
    """What is to be hidden of the Secrets of one document. What several refer to is found in the first of them."""

    def __init__(self, comments: list[Span]) -> None:
        self._comments = comments
        self._seen: set[int] = set()

    def of(self, root: _Node) -> Iterator[Found]:
        for node in _all(root):
            if not node.known:
                continue
            kinds = node.named("kind")
            if any(kind.is_made_up or kind.value == _KIND for kind in kinds):
                yield from self._of_secret(node)
            if any(kind.is_made_up or kind.value == _LIST_KIND for kind in kinds):
                for items in node.named("items"):
                    for item in items.parts if self._is_first(items) else ():
                        yield from self._of_secret(item)
            for place, copy in _copies(node):
                if _is_of_secret(copy):
                    yield place, copy.span

    def _is_first(self, each: _Node | _Entry) -> bool:
        """Whether it was not looked at before."""
        is_first = id(each) not in self._seen
        self._seen.add(id(each))
        return is_first

    def _of_secret(self, secret: _Node) -> Iterator[Found]:
        for entry in secret.entries_named(*_FIELDS):
            if self._is_first(entry):
                yield from self._of_field((_KIND, *_identity(secret), entry.key.value), entry)
        for place, copy in _copies(secret):
            yield place, copy.span

    def _of_field(self, place: Place, entry: _Entry) -> Iterator[Found]:
        start, end = entry.span
        yield from self._of_comments(place, entry.value, entry.span)
        if not entry.value.is_mapping:
            yield place, entry.value.span
        for mapping in entry.value.mappings():
            if not self._is_first(mapping):
                continue
            for part in mapping.entries():
                # What `<<` merges is looked at entry by entry, so that its keys stay readable.
                if not (part.value.is_mapping and part.key.value == "<<"):
                    yield (*place, part.key.value), part.value.span
            if not start <= mapping.span[0] < end:
                yield from self._of_comments(place, mapping, mapping.span)

    def _of_comments(self, place: Place, mapping: _Node, span: Span) -> Iterator[Found]:
        """Each by the key before it, and which of the comments after that key it is."""
        first, last = (bisect_left(self._comments, (position,)) for position in span)
        if first == last:
            return
        # None of an alias, whose keys are elsewhere.
        is_here = mapping.is_mapping and span[0] <= mapping.span[0] < span[1]
        keys, starts = (mapping.parts[::2], mapping.places[::2]) if is_here else ([], [])
        numbers: Counter[int] = Counter()
        for comment in self._comments[first:last]:
            before = bisect_right(starts, comment[0])
            key = keys[before - 1].value if before else None
            yield (*place, key, "#", str(numbers[before])), comment
            numbers[before] += 1


def _identity(node: _Node) -> Place:
    metadata = node.named("metadata")
    return tuple(
        next((part.value for each in metadata for part in each.named(name)), None)
        for name in ("namespace", "name")
    )


def _copies(node: _Node) -> Iterator[tuple[Place, _Node]]:
    for metadata in node.named("metadata"):
        for annotations in metadata.named("annotations"):
            for copy in annotations.named(_COPY):
                kind = next((each.value for each in node.named("kind")), None)
                yield (kind, *_identity(node), _COPY), copy


def _is_of_secret(copy: _Node) -> bool:
    """Whether the copy may be one of a Secret, or is hidden, whatever it is that carries it."""
    text = copy.value or ""
    return copy.is_made_up or _KIND in text or text == MASKED or _JSON_LETTER.search(text) is not None


def _all(root: _Node) -> Iterator[_Node]:
    """Each list and mapping once, however often it is referred to."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        yield node
        for part in node.parts:
            if part.value is None and id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)
