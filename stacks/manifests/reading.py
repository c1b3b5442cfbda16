"""Reading a manifest, once, as parser events.

An agent of the first release exits, again after each restart, if its YAML parser refuses a text. So the rules here are
at least as strict as that parser (serde_yaml, whose core is a translation of libyaml) about syntax, numbers, tags,
repeated keys, aliases and depth.

The text is read as parser events, never as values of Python, so impossible dates and the scalar `=` are only
text. Only keys, nodes with anchors and the names of objects are kept until the document ends. No function recurses into
the text, so a deep text needs no deep stack. Aliases are counted and not followed.
"""

from collections.abc import Callable
from typing import Any, Final

from yaml import CBaseLoader, Event, MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.reader import ReaderError

from stacks.manifests.contents import NOTED_FIELDS, Contents
from stacks.manifests.findings import Code, Finding, Findings, ManifestError
from stacks.manifests.nodes import Anchor, Collection, Cost, Node, Open, Values
from stacks.manifests.objects import KEPT, Identity, examine, named
from stacks.manifests.scalars import (
    BINARY,
    NULL,
    NUMBER_STARTS,
    PECULIAR_WORDS,
    Unreadable,
    Value,
    difference,
    is_custom,
    is_small_integer,
    shown,
    value_of,
)
from stacks.manifests.syntax import BOM, Mark, index_of, line_of, refuse_forbidden_characters, syntax_error

# How deep lists and mappings may be nested, including what aliases repeat. Agents stop at 128.
MAX_DEPTH: Final = 100

# Parser events in one text, including what aliases repeat. A scalar is one event; a list, a mapping or a document is
# two. Each event takes about a microsecond here and a hundred bytes in an agent. Ten mebibytes of dense manifests have
# 1.3 million events.
MAX_EVENTS: Final = 1_500_000

# Anchors and aliases that are written in one text. They take longer than other events.
MAX_NAMES: Final = 10_000

# Characters that the aliases of one text may repeat. The limit of events is not enough: one event can be a long text.
MAX_REPEATED_CHARACTERS: Final = 16 * 1024 * 1024

# Agents refuse a document if they have to follow more aliases than this for each of its events.
MAX_ALIASES_PER_EVENT: Final = 100

# Parts of one document that may be kept until its end. The metadata and aliases of real manifests need far fewer.
MAX_KEPT: Final = 200_000

# The document is at level 0, the object at level 1.
_LEVEL_OF_FIELDS: Final = 2

_BINARY_TAG = "kubectl decodes what is tagged !!binary, agents apply it as it is written; remove the tag."
_MERGE = (
    "agents never merge what << names: to them it is a key like any other, which Kubernetes does not know; write the "
    "entries out."
)
_CONFUSED = (
    "follows an anchor whose name was given before, and agents take one for the other; give each anchor of a document "
    "its own name."
)
_TOO_LARGE = (
    f"the manifest has more than {MAX_EVENTS:,} parts, aliases followed; split it over several stacks."
)
_TOO_DEEP = f"lists and mappings are nested more than {MAX_DEPTH} levels deep, which agents cannot read."


class Reading:
    """One pass over the events of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document = 0
        self._in_document = False
        self._has_content = False
        self._anchors: dict[str, Anchor] = {}
        # By number that agents give to anchors, the last name with this number; and the numbers that aliases used.
        self._owners: dict[int, str] = {}
        self._aliased: set[int] = set()
        # The innermost open collection, and the open collections around it, beginning with the document.
        self._inner = Open(None, 0, key_is_next=False)
        self._around: list[Open] = []
        self._root = Collection(0, None, False, [], [])
        self._values = Values()
        self._findings = Findings()
        self.contents = Contents(text)
        self._identities: dict[Identity, int] = {}
        self._kept = 0
        self._events = 0
        # The events that an alias repeats are subtracted from those that may still come.
        self._events_allowed = MAX_EVENTS
        self._names = 0
        self._repeated_characters = 0
        self._followed_aliases = 0
        # The two totals at the beginning of the document.
        self._events_before = 0
        self._followed_aliases_before = 0

    def run(self) -> list[Finding]:
        """Read the whole text. Raises ManifestError."""
        try:
            self._read()
        except MarkedYAMLError as error:
            raise syntax_error(error, self._text, self._current_document()) from error
        except (ReaderError, UnicodeError) as error:
            refuse_forbidden_characters(self._text)
            # This can only be a tag with percent escapes, where libyaml accepts surrogates.
            raise ManifestError("a tag is not valid UTF-8.", document=self._current_document()) from error
        if not self._has_content:
            raise ManifestError(
                "The manifest has no content: it is all comments and empty or null documents."
            )
        return self._findings.all()

    def _read(self) -> None:
        steps: dict[type[Event], Callable[[Any], None]] = {
            StreamStartEvent: self._pass_over,
            DocumentStartEvent: self._begin_document,
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
            SequenceStartEvent: self._begin_collection,
            SequenceEndEvent: self._end_collection,
            MappingStartEvent: self._begin_collection,
            MappingEndEvent: self._end_collection,
            DocumentEndEvent: self._end_document,
            StreamEndEvent: self._pass_over,
        }
        # PyYAML drops one byte order mark at the start, but agents count it as a column.
        events = iter(CBaseLoader(BOM + self._text).get_event, None)
        for self._events, event in enumerate(events):
            if self._events > self._events_allowed:
                raise self._refusal(_TOO_LARGE, event)
            steps[type(event)](event)

    def _pass_over(self, _event: Event) -> None:
        """Ignore the events of the start and the end of the stream."""

    def _begin_document(self, event: DocumentStartEvent) -> None:
        self._document += 1
        self._in_document = True
        self._anchors = {}
        self._owners, self._aliased = {}, set()
        self._root = Collection(_line_of(event), None, False, [], [])
        self._inner = Open(None, 0, key_is_next=False, kept=self._root)
        self._values = Values()
        self.contents.begin_document(index_of(event.end_mark))
        self._kept = 0
        self._events_before = self._events
        self._followed_aliases_before = self._followed_aliases

    def _end_document(self, event: DocumentEndEvent) -> None:
        self._in_document = False
        # The event of the document's end has been counted, but it does not count for the document.
        events = self._events - self._events_before - 1
        aliases = self._followed_aliases - self._followed_aliases_before
        if aliases > events * MAX_ALIASES_PER_EVENT:
            raise ManifestError(
                "its aliases multiply each other; write some of them out.", document=self._document
            )
        for root, line in self._root.items():
            if root != NULL:
                self._has_content = True
                for remark in examine(root, line, self._identities, self._document):
                    self._findings.note(*remark)
                if (name := named(root)) is not None:
                    end = index_of(event.start_mark)
                    self.contents.end_document(*name, end=end, document=self._document, line=line)
        self._findings.end_document(self._document, holds_secret=self.contents.holds_secret)

    def _scalar(self, event: ScalarEvent) -> None:
        inner, text = self._inner, event.value
        if event.tag is not None or event.anchor is not None:
            self._peculiar_scalar(event)
        elif event.style or (text[:1] not in NUMBER_STARTS and text not in PECULIAR_WORDS):
            # Agents and kubectl read most scalars as text.
            if inner.kept is not None:
                self._keep(inner.kept, text, event)
            if inner.keys is not None:
                if inner.key_is_next:
                    if text in inner.keys:
                        raise self._repeated(text, event, _line_of(event))
                    inner.keys.add(text)
                    inner.key = text
                elif inner.key in NOTED_FIELDS:
                    self.contents.note(inner.key, text, self._around)
                inner.key_is_next = not inner.key_is_next
        elif inner.key_is_next or inner.kept is not None or not is_small_integer(text):
            self._peculiar_scalar(event)
        else:
            inner.key_is_next = inner.keys is not None

    def _peculiar_scalar(self, event: ScalarEvent) -> None:
        """Read a scalar with an anchor or a tag, or one that agents or kubectl may not read as text."""
        inner, text = self._inner, event.value
        value = self._value(event)
        if inner.kept is not None:
            self._keep(inner.kept, value, event)
        if inner.keys is not None:
            if inner.key_is_next:
                self._add_key(inner, value, event, _line_of(event))
                if value == "<<" and not event.style:
                    self._note(Code.MERGE_KEY, _MERGE, event)
            elif inner.key in NOTED_FIELDS and isinstance(value, str):
                self.contents.note(inner.key, value, self._around)
            inner.key_is_next = not inner.key_is_next
        if event.anchor is not None:
            self._count_name(event)
            length = index_of(event.end_mark) - index_of(event.start_mark)
            self._add_anchor(event, value, Cost(0, length, 0))
        if event.tag is not None:
            self._note_tag(event, event.tag)
        elif not event.style and (found := difference(text)):
            self._note(*found, event)

    def _alias(self, event: AliasEvent) -> None:
        self._count_name(event)
        anchor = self._anchors.get(event.anchor or "")
        if anchor is None:
            raise self._refusal(
                f"the alias *{event.anchor} has no anchor before it in the same document.", event
            )
        if anchor.cost is None:
            raise self._refusal(f"the alias *{event.anchor} stands inside the very node it repeats.", event)
        if self._owners[anchor.number] != event.anchor:
            raise self._refusal(f"the alias *{event.anchor} {_CONFUSED}", event)
        self._aliased.add(anchor.number)
        self._events_allowed -= anchor.cost.events
        self._repeated_characters += anchor.cost.characters
        self._followed_aliases += anchor.cost.aliases + 1
        if self._repeated_characters > MAX_REPEATED_CHARACTERS:
            raise self._refusal(
                f"aliases repeat more than {MAX_REPEATED_CHARACTERS:,} characters of text.", event
            )
        inner = self._inner
        inner.deepest = max(inner.deepest, len(self._around) + anchor.depth)
        if inner.deepest > MAX_DEPTH:
            raise self._refusal(_TOO_DEEP, event)
        if inner.kept is not None:
            self._keep(inner.kept, anchor.node, event)
        if inner.keys is not None:
            if inner.key_is_next:
                self._add_key(inner, self._values.of(anchor.node), event, _line_of(event))
            else:
                self._note_repeated(inner.key, anchor.node)
            inner.key_is_next = not inner.key_is_next
        else:
            self._note_repeated(None, anchor.node)

    def _note_repeated(self, field: str | None, node: Node) -> None:
        # A text that aliases make too long is refused at the next event.
        if isinstance(node, Collection) and self._events <= self._events_allowed:
            self.contents.note_repeated(node, field, self._around)
        elif isinstance(node, str) and field in NOTED_FIELDS:
            self.contents.note(field, node, self._around)

    def _begin_collection(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        around = self._inner
        self._around.append(around)
        level = len(self._around)
        if level > MAX_DEPTH:
            raise self._refusal(_TOO_DEEP, event)
        is_mapping = type(event) is MappingStartEvent
        self._inner = begun = Open(set() if is_mapping else None, level, is_mapping)
        is_key = around.key_is_next
        keeps_all = (
            is_key
            or event.anchor is not None
            or (around.kept is not None and around.kept.keeps_all)
            or (level == _LEVEL_OF_FIELDS and around.key in KEPT)
        )
        if keeps_all or around.kept is not None:
            node = Collection(_line_of(event), event.tag, is_mapping, [], [], is_key, keeps_all)
            if keeps_all or level == 1:
                begun.kept = node
            if around.kept is not None:
                self._keep(around.kept, node, event)
            if event.anchor is not None:
                self._count_name(event)
                node.anchor = self._add_anchor(event, node)
                node.before = self._cost_up_to(event.start_mark)
        if around.keys is not None:
            around.key_is_next = not is_key
        if event.tag is not None:
            self._note_tag(event, event.tag)

    def _end_collection(self, event: SequenceEndEvent | MappingEndEvent) -> None:
        ended = self._inner
        self._inner = around = self._around.pop()
        around.deepest = max(around.deepest, ended.deepest)
        node = ended.kept
        if node is None:
            return
        if node.anchor is not None and node.before is not None:
            node.anchor.cost = self._cost_up_to(event.end_mark).since(node.before)
            node.anchor.depth = ended.deepest - len(self._around)
        if node.is_key:
            self._add_key(around, self._values.of(node), event, node.line)

    def _count_name(self, event: NodeEvent) -> None:
        self._names += 1
        if self._names > MAX_NAMES:
            raise self._refusal(f"the manifest has more than {MAX_NAMES:,} anchors and aliases.", event)

    def _add_anchor(self, event: NodeEvent, node: Node, cost: Cost | None = None) -> Anchor:
        # Agents number anchors in a way that gives two anchors the same number after a name was used again. Then
        # their aliases lead to the last node with that number.
        number, name = len(self._anchors), event.anchor or ""
        if number in self._aliased:
            raise self._refusal(f"the anchor &{name} {_CONFUSED}", event)
        self._owners[number] = name
        anchor = self._anchors[name] = Anchor(node, number, cost)
        return anchor

    def _add_key(self, mapping: Open, key: Value, event: Event, line: int) -> None:
        keys = mapping.keys or set()
        if key in keys:
            raise self._repeated(key, event, line)
        if mapping.keys is not None:
            mapping.keys.add(key)
        mapping.key = key if isinstance(key, str) else None
        if mapping.key is None:
            shown_key = _key_shown(key, event)
            why = f"the key {shown_key} is no string, and Kubernetes has no other keys; put it in quotes."
            self._findings.note(Code.KEY_NOT_STRING, why, line)

    def _repeated(self, key: Value, event: Event, line: int) -> ManifestError:
        problem = f"the key {_key_shown(key, event)} is already in this mapping."
        return ManifestError(problem, document=self._document, line=line)

    def _keep(self, collection: Collection, node: Node, event: Event) -> None:
        self._kept += 1
        if self._kept > MAX_KEPT:
            problem = f"what aliases may repeat, metadata and data have more than {MAX_KEPT:,} parts."
            raise self._refusal(problem, event)
        collection.parts.append(node)
        # Not by `_line_of`, because this runs for every entry of a ConfigMap.
        mark = event.start_mark
        collection.lines.append(1 if mark is None else mark.line + 1)

    def _value(self, event: ScalarEvent) -> Value:
        try:
            return value_of(event)
        except Unreadable as error:
            raise self._refusal(str(error), event) from error

    def _note(self, code: Code, problem: str, event: Event) -> None:
        self._findings.note(code, problem, _line_of(event))

    def _note_tag(self, event: Event, tag: str) -> None:
        if is_custom(tag):
            why = f"Kubernetes objects have no tags of their own, as {shown(tag)} is; remove it."
            self._note(Code.CUSTOM_TAG, why, event)
        elif tag == BINARY:
            self._note(Code.BINARY_TAG, _BINARY_TAG, event)

    def _cost_up_to(self, mark: Mark | None) -> Cost:
        return Cost(
            self._events - self._events_allowed,
            index_of(mark) + self._repeated_characters,
            self._followed_aliases,
        )

    def _current_document(self) -> int:
        """The number of the open document, or of the next one."""
        return self._document if self._in_document else self._document + 1

    def _refusal(self, problem: str, event: Event) -> ManifestError:
        return ManifestError(problem, document=self._current_document(), line=line_of(event.start_mark))


def _key_shown(key: Value, event: Event) -> str:
    if isinstance(key, str):
        return repr(key[:80])
    return shown(event.value) if isinstance(event, ScalarEvent) else "that begins here"


def _line_of(event: Event) -> int:
    return line_of(event.start_mark) or 1
