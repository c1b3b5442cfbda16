"""What a manifest says, apart from how it is written: comments, quotes and the order of keys make no difference."""

import hashlib

from yaml import CBaseLoader, Event
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

_Digest = bytes
_RESOLVER = Resolver()
_NULL_TAG = "tag:yaml.org,2002:null"


def content_digest(text: str, *, is_deletion_marker: bool = False) -> str:
    """The same 64 characters for texts whose documents are equal, in linear time.

    For texts that `check_manifest` has let through. Documents that are null do not count, and two markers are equal
    whatever they say.
    """
    if is_deletion_marker:
        return _digest(b"marker").hex()
    reading = _Reading()
    # As in `check_manifest`, which explains the mark.
    for event in iter(CBaseLoader("\ufeff" + text).get_event, None):
        reading.read(event)
    return _digest(b"documents", *reading.documents).hex()


class _Collection:
    """A list, a mapping or a document that has begun and not ended, with the digests of what is in it."""

    __slots__ = ("anchor", "is_mapping", "parts")

    def __init__(self, *, is_mapping: bool, anchor: str | None) -> None:
        self.is_mapping = is_mapping
        self.anchor = anchor
        self.parts: list[_Digest] = []


class _Reading:
    def __init__(self) -> None:
        self.documents: list[_Digest] = []
        self._open: list[_Collection] = []
        self._anchors: dict[str, _Digest] = {}

    def read(self, event: Event) -> None:
        match event:
            case DocumentStartEvent():
                self._anchors = {}
                self._open = [_Collection(is_mapping=False, anchor=None)]
            case DocumentEndEvent():
                (root,) = self._open.pop().parts
                if root != _NULL:
                    self.documents.append(root)
            case ScalarEvent():
                self._add(_scalar(event), event.anchor)
            case AliasEvent():
                self._add(self._anchors[event.anchor or ""], None)
            case MappingStartEvent() | SequenceStartEvent():
                is_mapping = isinstance(event, MappingStartEvent)
                self._open.append(_Collection(is_mapping=is_mapping, anchor=event.anchor))
            case MappingEndEvent() | SequenceEndEvent():
                ended = self._open.pop()
                self._add(_collection(ended), ended.anchor)

    def _add(self, digest: _Digest, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = digest
        self._open[-1].parts.append(digest)


def _scalar(event: ScalarEvent) -> _Digest:
    tag = event.tag
    if tag is None or tag == "!":
        is_plain = not event.style and tag is None
        tag = _RESOLVER.resolve(ScalarNode, event.value, (is_plain, True))  # type: ignore[no-untyped-call]
    return _NULL if tag == _NULL_TAG else _digest(b"scalar", tag.encode(), event.value.encode())


def _collection(ended: _Collection) -> _Digest:
    if not ended.is_mapping:
        return _digest(b"list", *ended.parts)
    pairs = sorted(zip(ended.parts[::2], ended.parts[1::2], strict=True))
    return _digest(b"mapping", *(part for pair in pairs for part in pair))


def _digest(*parts: bytes) -> _Digest:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.digest()


_NULL = _digest(b"null")
