"""Finds the values of Kubernetes Secrets in a manifest, or in a template of one. Pure, and linear in time.

Comments between those values count too. An object that may become a Secret counts as one.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Final, NamedTuple

import yaml

from stacks.located_yaml import (
    MADE_UP,
    Entry,
    Node,
    ReadText,
    Span,
    TooDeep,
    collections_of,
    documents_with,
    from_base64,
    without_comment_tags,
)

# What is shown in place of a value, and in place of a text or an annotation that contains a whole Secret. By these
# words a hidden text is found again.
MASKED = "********"
MASKED_TEXT = "******** (holds a Secret)"
_KIND = "Secret"
_LIST_KIND = "SecretList"
# The fields that contain, or may contain, the values of a Secret.
_FIELDS = ("data", "stringData", MADE_UP)
# Tools store copies of an object, or parts of it, in annotations with names like these.
_COPY: Final = re.compile(
    r"last-?appl|last-?config|(?:^|[./-])(?:original|applied)(?:$|-)|token|passw|credential|secret",
    re.IGNORECASE,
)
# The beginning of a compressed text in base64, which some tools write into annotations.
_COMPRESSED = "H4sI"
# The place of a text that contains a Secret begins with this; other places begin with the kind.
_TEXT = "text"
# Values that concern, whatever is around them.
_OWN_WORDS: Final = frozenset({_KIND, _LIST_KIND, MASKED, MASKED_TEXT})
# Nothing shorter is a manifest with a Secret.
_SHORTEST_ENCODED = 32
# How deep texts inside of texts are read.
_MAX_TEXTS = 3
_BOM = "\ufeff"
# At the beginning of a line, as the parser counts lines, they mean this in any text. Each pattern begins with a fixed
# word, because the search for one is fast.
_MARKER: Final = re.compile("---(?<=[\n\r\x85\u2028\u2029]---)(?=[ \t\n\r\x85\u2028\u2029]|\\Z)")
_DIRECTIVE: Final = re.compile("%(?<=[\n\r\x85\u2028\u2029]%)")
# A letter that is written as an escape with its number in JSON or YAML.
_SPELLED_LETTER: Final = re.compile(r"\\u00[4-7]|\\x[4-7]")
# Words that show that a text may be about Secrets if it cannot be read or is too deep.
_KIND_WRITTEN: Final = re.compile(r"""kind["']?[ \t]*:[ \t]*["']?Secret""")
# What base64 makes of the kind, whatever number of bytes is before it.
_ENCODED_KIND: Final = ("U2VjcmV0", "NlY3Jld", "TZWNyZX")
# With one of these characters, a word can be written in another way.
_OTHER_SPELLINGS = ("\\", "!!", "!<", "%TAG")

# The kind, namespace and name of an object, the field and the key, and the number of the comment after it. None means
# missing or not a scalar. For a text that contains a Secret: the kind, namespace and name of the document's object, and
# the keys and numbers that lead to the text.
Place = tuple[str | None, ...]
Found = tuple[Place, Span]


class Hidden(NamedTuple):
    """The characters to hide, from and to, and what is shown in their place, without quotes."""

    start: int
    end: int
    mask: str


def secret_spans(text: str, source: str | None = None) -> list[Hidden] | None:
    """The spans to hide, in order; None if the text cannot be read and may be about Secrets.

    If `text` is a template without its tags, `source` is the template itself, which has the same length.
    """
    found = _found(text, source)
    if found is None:
        return None
    masks = {span: mask_of(place) for place, span in reversed(found)}
    return sorted(Hidden(*span, mask) for span, mask in masks.items())


def secret_places(text: str, *, is_masked: bool = False) -> list[Found]:
    """The values to hide, in order, each with its place; none if the text cannot be read.

    With `is_masked`, aliases may be there whose anchors a mask took away.
    """
    return sorted(_found(text, is_masked=is_masked) or (), key=lambda found: found[1])


def searched_characters(text: str) -> int:
    """The length of those documents in which values to hide are looked for: a million takes half a second."""
    if not may_be_about_secrets(text):
        return 0
    try:
        return sum(end - start for start, end in _documents(text, 0))
    except (yaml.YAMLError, TooDeep):
        return 0


def has_more_to_search(text: str, limit: int) -> bool:
    """Whether documents of more than so many characters would be searched. It stops as soon as that is clear."""
    searched = 0
    for start, end in documents_at(text, 0, len(text)) if len(text) > limit else ():
        searched += searched_characters(text[start:end])
        if searched > limit:
            return True
    return False


def documents_at(text: str, start: int, end: int) -> list[Span]:
    """The documents of a manifest that have some of these characters, told apart without reading the text as YAML.

    Each can be read by itself. Together with directives, which may change what follows, the text is one document.
    """
    if text.startswith("%", _start(text)) or _DIRECTIVE.search(text):
        return [(0, len(text))]
    starts = [0, *(found.start() for found in _MARKER.finditer(text))]
    ends = [*starts[1:], len(text)]
    first, last = bisect_right(starts, start) - 1, max(bisect_left(starts, end), 1)
    return list(zip(starts[first:last], ends[first:last], strict=True))


def mask_of(place: Place) -> str:
    """What is shown in place of the value in this place."""
    return MASKED_TEXT if place[0] == _TEXT else MASKED


# Cached, because one page asks several times about the same few texts, and reading megabytes takes seconds.
@lru_cache(maxsize=4)
def _found(text: str, source: str | None = None, *, is_masked: bool = False) -> tuple[Found, ...] | None:
    return _found_in(text, source, 0, is_masked=is_masked)


def _found_in(
    text: str, source: str | None, level: int, *, is_masked: bool = False
) -> tuple[Found, ...] | None:
    """What `text` has to hide. `level` is the number of texts around this one."""
    if not may_be_about_secrets(text, source):
        return ()
    try:
        spans = _documents(text, level) if source is None else [(_start(text), len(text))]
        found: list[Found] = []
        for first, last in spans:
            inner = None if source is None else source[first:last]
            found += _found_from(first, ReadText(text[first:last], inner, is_masked=is_masked), level)
        return tuple(found)
    except (yaml.YAMLError, KeyError, TooDeep):  # KeyError: an alias without an anchor
        return None


# Cached for the same reason.
@lru_cache(maxsize=4)
def _documents(text: str, level: int) -> list[Span]:
    """The documents that may have something to hide."""
    start = _start(text)
    found = documents_with(text[start:], partial(_concerns, level))
    return [(start + first, start + last) for first, last in found]


def _start(text: str) -> int:
    return len(text) - len(text.removeprefix(_BOM))


def _found_from(start: int, read: ReadText, level: int) -> Iterator[Found]:
    # Each span only once, because an item of a list of Secrets may be found for two reasons.
    found = dict.fromkeys(each for root in read.documents for each in _Secrets(read, level).of(root))
    return ((place, (first + start, last + start)) for place, (first, last) in found)


def may_be_about_secrets(text: str, source: str | None = None) -> bool:
    """A fast check: whether the text may have something to hide. `source` is as for `secret_spans`."""
    if any(sign in text for sign in (MASKED, *_ENCODED_KIND, *_OTHER_SPELLINGS)):
        return True
    if source is None:
        return _KIND in text
    written = without_comment_tags(source)
    return _KIND in written or any(_makes_up_kind(line) for line in written.splitlines())


def _makes_up_kind(line: str) -> bool:
    """Whether the line may contain a kind that is not a plain word."""
    after = [rest.lstrip("\"' \t:") for rest in line.split("kind")[1:]]
    return any(not rest[:1].isalnum() or "{{" in rest or "{%" in rest for rest in after)


def _concerns(level: int, key: str, value: str) -> bool:
    """Whether a document in which the value follows the key may have something to hide."""
    if value in _OWN_WORDS:
        return True
    # Nearly all values end here.
    if _KIND not in value and "\\" not in value and not _is_encoded(value):
        return False
    if (_COPY.search(key) or value.startswith(_COMPRESSED)) and _names_secret(value):
        return True
    return _may_hold_secret(value) and _contains_secret(value, level)


def _contains_secret(text: str, level: int) -> bool:
    """Whether a manifest in a text contains a Secret, or may contain one. `level` is the number of texts around it."""
    if text == MASKED_TEXT:
        return True
    if _is_encoded(text):
        text = from_base64(text) or text
    found = _found_in(text, None, level + 1) if level < _MAX_TEXTS else None
    return bool(found) if found is not None else _KIND_WRITTEN.search(text) is not None


class _Secrets:
    """Finds what to hide in the Secrets of one document. A node that several Secrets share is found in the first."""

    def __init__(self, read: ReadText, level: int) -> None:
        self._read = read
        self._comments = read.comments
        self._level = level
        self._seen: set[int] = set()

    def of(self, root: Node) -> Iterator[Found]:
        texts: list[tuple[Node, int]] = []
        for node in collections_of(root):
            texts += [
                (node, number)
                for number, part in enumerate(node.parts)
                if part.value is not None and self._holds_secret(part)
            ]
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
        yield from _of_texts(root, texts)

    def _holds_secret(self, text: Node) -> bool:
        """Whether the text is a manifest, or a template of one, that contains a Secret."""
        value = text.value or ""
        return _may_hold_secret(value) and (text.is_made_up or _contains_secret(value, self._level))

    def _is_first(self, each: Node | Entry) -> bool:
        """Whether the node was not seen before."""
        is_first = id(each) not in self._seen
        self._seen.add(id(each))
        return is_first

    def _of_secret(self, secret: Node) -> Iterator[Found]:
        for entry in secret.entries_named(*_FIELDS):
            if self._is_first(entry):
                yield from self._of_field((_KIND, *_identity(secret), entry.key.value), entry)
        for place, copy in _copies(secret):
            yield place, copy.span
        yield from self._of_lines(secret)

    def _of_lines(self, secret: Node) -> Iterator[Found]:
        """Comments on their own lines, in the Secret or directly above its first field."""
        start, end = secret.span
        if secret.parts and secret.parts[0].value in _FIELDS:
            start = self._read.start_of_comments_above(start)
        for place, comment in self._of_comments((_KIND, *_identity(secret)), secret, (start, end)):
            if self._read.is_line_of_its_own(comment):
                yield place, comment

    def _of_field(self, place: Place, entry: Entry) -> Iterator[Found]:
        start, end = entry.span
        yield from self._of_comments(place, entry.value, entry.span)
        if not entry.value.is_mapping:
            yield from self._of_value(place, entry.value)
        for mapping in entry.value.mappings():
            if not self._is_first(mapping):
                continue
            for part in mapping.entries():
                # The entries that `<<` merges are hidden one by one, so that their keys stay readable.
                if not (part.value.is_mapping and part.key.value == "<<"):
                    yield from self._of_value((*place, part.key.value), part.value)
            if not start <= mapping.span[0] < end:
                yield from self._of_comments(place, mapping, mapping.span)

    def _of_value(self, place: Place, value: Node) -> Iterator[Found]:
        """A value as a whole, of a list each item: a mask in place of all items may be no YAML."""
        if not value.is_list:
            yield place, value.span
        elif self._is_first(value):
            for number, item in enumerate(value.parts):
                yield from self._of_value((*place, str(number)), item)

    def _of_comments(self, place: Place, mapping: Node, span: Span) -> Iterator[Found]:
        """The comments in a mapping. The place of each is the key before it and its number after that key."""
        first, last = (bisect_left(self._comments, (position,)) for position in span)
        if first == last:
            return
        # An alias has none here, because its keys are elsewhere.
        is_here = mapping.is_mapping and span[0] <= mapping.span[0] < span[1]
        keys, starts = (mapping.parts[::2], mapping.places[::2]) if is_here else ([], [])
        numbers: Counter[int] = Counter()
        for comment in self._comments[first:last]:
            before = bisect_right(starts, comment[0])
            key = keys[before - 1].value if before else None
            yield (*place, key, "#", str(numbers[before])), comment
            numbers[before] += 1


def _identity(node: Node) -> Place:
    metadata = node.named("metadata")
    return tuple(
        next((part.value for each in metadata for part in each.named(name)), None)
        for name in ("namespace", "name")
    )


def _copies(node: Node) -> Iterator[tuple[Place, Node]]:
    """Annotations in which tools store copies, found by their names or because they are compressed."""
    for metadata in node.named("metadata"):
        for annotations in metadata.named("annotations"):
            for mapping in annotations.mappings():
                for entry in mapping.entries():
                    key, value = entry.key.value or "", entry.value.value or ""
                    if _COPY.search(key) or value.startswith(_COMPRESSED):
                        kind = next((each.value for each in node.named("kind")), None)
                        yield (kind, *_identity(node), key), entry.value


def _is_of_secret(copy: Node) -> bool:
    """Whether it may be a copy of a Secret, or is already hidden. The object with the annotation does not matter."""
    return copy.is_made_up or copy.value == MASKED or _names_secret(copy.value or "")


def _names_secret(text: str) -> bool:
    return _KIND in text or _SPELLED_LETTER.search(text) is not None


def _may_hold_secret(text: str) -> bool:
    """A fast check: a Secret names its kind and has a field with values."""
    return text == MASKED_TEXT or ("ata" in text and _names_secret(text)) or _is_encoded(text)


def _is_encoded(text: str) -> bool:
    """A fast check: whether the text may be a manifest of a Secret in base64."""
    return len(text) > _SHORTEST_ENCODED and any(sign in text for sign in _ENCODED_KIND)


def _of_texts(root: Node, texts: list[tuple[Node, int]]) -> Iterator[Found]:
    """Each text, by its collection and its number in it, with the path to it."""
    if not texts:
        return
    ways: dict[int, tuple[int, str | None]] = {}
    for node in collections_of(root):
        for number, part in enumerate(node.parts):
            if part.value is None:
                ways.setdefault(id(part), (id(node), _step(node, number)))
    (document,) = root.parts
    whose = (next((kind.value for kind in document.named("kind")), None), *_identity(document))
    for node, number in texts:
        steps, at = [_step(node, number)], id(node)
        while at != id(root):
            at, step = ways[at]
            steps.append(step)
        yield (_TEXT, *whose, *steps[::-1]), node.parts[number].span


def _step(node: Node, number: int) -> str | None:
    """The key of a value; the number of a list's item, or of a key."""
    return node.parts[number - 1].value if node.is_mapping and number % 2 else str(number)
