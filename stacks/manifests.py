"""Manifests: what a text must be before it is stored and handed to agents.

An agent of the first release exits, and keeps exiting, on a text that its YAML parser refuses. The rules here
are therefore no laxer than that parser (serde_yaml, whose core is a translation of libyaml) about syntax,
repeated keys, aliases and depth. They say nothing about what the documents mean: no `apiVersion` or `kind` is
asked for.

The text is read as parser events, never as values. Nothing is constructed, so custom tags, impossible dates
and the scalar `=` are only text. Nothing recurses, so depth costs no stack. Aliases are counted instead of
followed.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

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

# Lists and mappings within one another, aliases followed. Agents stop at 128.
MAX_DEPTH: Final = 100

# Parser events in one text, aliases followed: a scalar is one; a list, a mapping or a document is two. Each
# takes about a microsecond here and a hundred bytes in an agent. Ten mebibytes of dense manifests have 1.3
# million.
MAX_EVENTS: Final = 1_500_000

# Anchors and aliases in one text, as written. They take longer than other events.
MAX_NAMES: Final = 10_000

# Characters that the aliases of one text may repeat. Events do not bound them: one event can be a long text.
MAX_REPEATED_CHARACTERS: Final = 16 * 1024 * 1024

# Agents give up on a document when they have followed more aliases than this for each of its events.
MAX_ALIASES_PER_EVENT: Final = 100

# Characters in all %TAG lines together. libyaml compares each such line with all before it, and copies its
# prefix into each tag that uses it: without a limit one request could keep a worker busy for minutes.
MAX_TAG_DIRECTIVES: Final = 1_000

_BOM = "\ufeff"
_LINE_BREAKS = "\n\r\x85\u2028\u2029"
_LINE_BREAK = re.compile(f"\r\n|[{_LINE_BREAKS}]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The literal comes first and the start of the line is checked after it, because that order is the fast one.
_TAG_DIRECTIVE = re.compile(f"%TAG(?<![^{_LINE_BREAKS}{_BOM}]%TAG)[^{_LINE_BREAKS}]*")

# What two equal keys have in common: the text of a string; of anything else, tag and text.
_Key = str | tuple[str, str]

_STR = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"

# The core schema of YAML 1.2, by which agents read. By YAML 1.1 fewer plain scalars are strings (`yes`, `on`
# and dates are not), so it would tell apart keys that are one key to an agent.
_WORDS: Final[dict[str, _Key]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (_NULL, "null")),
    **dict.fromkeys(("true", "True", "TRUE"), (_BOOL, "true")),
    **dict.fromkeys(("false", "False", "FALSE"), (_BOOL, "false")),
}
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOATING = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)

_TOO_LARGE = (
    f"the manifest has more than {MAX_EVENTS:,} parts, aliases followed; split it over several stacks."
)
_TOO_DEEP = f"lists and mappings are nested more than {MAX_DEPTH} levels deep, which agents cannot read."


class ManifestError(Exception):
    """A text that may not be stored as a manifest.

    `message` is a sentence that begins with the place, where that is known. `document` is the number of the
    document in the stream, `line` that of the line in the whole text; both count from 1, and None is unknown.
    """

    def __init__(self, problem: str, *, document: int | None = None, line: int | None = None) -> None:
        self.document = document
        self.line = line
        numbers = {"document": document, "line": line}
        place = ", ".join(f"{name} {number}" for name, number in numbers.items() if number is not None)
        self.message = f"{place.capitalize()}: {problem}" if place else problem
        super().__init__(self.message)


def check_manifest(text: str, *, allow_blank: bool = False) -> None:
    """Return if `text` may be stored as a manifest. Raises ManifestError with the first problem found.

    The text is a stream of YAML documents of any shape, at least one of which is not null. Refused are syntax
    errors, characters that YAML forbids, a key repeated in a mapping, an alias whose anchor is missing or
    contains it, and what exceeds the limits of this module, which also bound the time this takes.

    Keys are equal when their tags and texts are: `1` and `"1"` differ, `~` and `null` do not, and numbers are
    compared as written. A list or mapping as a key equals nothing; no Kubernetes object can have one.
    `<<` is a key like any other, so it may stand once: agents read it as a string, and `<<: [*a, *b]` merges
    several mappings. What it merges is not compared with the keys beside it, which are there to override.

    A blank text passes only with `allow_blank`, which is for deletion markers; a text that is not blank must
    keep all the rules either way. A byte order mark at the start is no content. It indents the first line, as
    it does for agents, so that most mappings and lists do not pass with one.
    """
    if not text.removeprefix(_BOM).strip():
        # Trimming also takes a few characters that YAML forbids.
        _refuse_forbidden_characters(text)
        if not allow_blank:
            raise ManifestError("The manifest is blank; only a deletion marker may be.")
        return
    if sum(map(len, _TAG_DIRECTIVE.findall(text))) > MAX_TAG_DIRECTIVES:
        raise ManifestError(
            f"The %TAG directives exceed {MAX_TAG_DIRECTIVES:,} characters; write the tags in full."
        )
    _Reading(text).run()


def checksum(text: str) -> str:
    """The SHA-256 of `text` in UTF-8, in lower-case hex. Raises UnicodeEncodeError for a lone surrogate."""
    return hashlib.sha256(text.encode()).hexdigest()


class _Mark(Protocol):
    """A place in the text, as the numbers of characters and of lines before it."""

    index: int
    line: int


class _Cost(NamedTuple):
    """What a node takes to read, aliases followed."""

    events: int
    characters: int
    aliases: int

    def since(self, before: "_Cost") -> "_Cost":
        return _Cost(
            self.events - before.events, self.characters - before.characters, self.aliases - before.aliases
        )


@dataclass(slots=True)
class _Anchor:
    """A node with a name, and what an alias to it repeats."""

    # What the node is as a key, if it is a scalar.
    key: _Key | None
    # None until the node has ended.
    cost: _Cost | None
    # Levels of lists and mappings in the node, aliases followed.
    depth: int = 0


@dataclass(slots=True)
class _Collection:
    """A list, a mapping or a document that has begun and not ended."""

    # The keys so far; only a mapping has them.
    keys: set[_Key] | None
    # The deepest level reached within, aliases followed. A document is level 0.
    deepest: int
    anchor: _Anchor | None = None
    # The cost of the text before it, known if it has an anchor.
    before: _Cost | None = None
    key_is_next: bool = True


class _Reading:
    """One pass over the events of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document = 0
        self._in_document = False
        self._has_content = False
        self._anchors: dict[str, _Anchor] = {}
        # The innermost open collection, and those around it, of which the document is the first.
        self._inner = _Collection(None, 0)
        self._around: list[_Collection] = []
        self._events = 0
        # Following an alias takes its events away from those that may still be written.
        self._events_allowed = MAX_EVENTS
        self._names = 0
        self._repeated_characters = 0
        self._followed_aliases = 0
        # The two totals as they were where the document began.
        self._events_before = 0
        self._followed_aliases_before = 0

    def run(self) -> None:
        """Read the whole text. Raises ManifestError."""
        try:
            self._read()
        except MarkedYAMLError as error:
            raise self._syntax_error(error) from error
        except (ReaderError, UnicodeError) as error:
            _refuse_forbidden_characters(self._text)
            # What remains is a tag with percent escapes; libyaml lets surrogates through there.
            raise ManifestError("a tag is not valid UTF-8.", document=self._current_document()) from error
        if not self._has_content:
            raise ManifestError(
                "The manifest has no content: it is all comments and empty or null documents."
            )

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
        # PyYAML drops a byte order mark at the start, which agents count as a column. Of two it drops one.
        events = iter(CBaseLoader(_BOM + self._text).get_event, None)
        for self._events, event in enumerate(events):
            if self._events > self._events_allowed:
                raise self._refusal(_TOO_LARGE, event)
            steps[type(event)](event)

    def _pass_over(self, _event: Event) -> None:
        """The ends of the stream carry nothing."""

    def _begin_document(self, _event: DocumentStartEvent) -> None:
        self._document += 1
        self._in_document = True
        self._anchors = {}
        self._events_before = self._events
        self._followed_aliases_before = self._followed_aliases

    def _end_document(self, _event: DocumentEndEvent) -> None:
        self._in_document = False
        # Its own end, which is one of the events so far, is none of the document's.
        events = self._events - self._events_before - 1
        aliases = self._followed_aliases - self._followed_aliases_before
        if aliases > events * MAX_ALIASES_PER_EVENT:
            raise ManifestError(
                "its aliases multiply each other; write some of them out.", document=self._document
            )

    def _scalar(self, event: ScalarEvent) -> None:
        inner = self._inner
        if inner.keys is not None:
            if inner.key_is_next:
                self._add_key(inner.keys, _key(event), event)
            inner.key_is_next = not inner.key_is_next
        elif not self._has_content and not self._around:
            self._has_content = not _is_null(_key(event))
        if event.anchor is not None:
            length = _index(event.end_mark) - _index(event.start_mark)
            self._count_name(event)
            self._anchors[event.anchor] = _Anchor(_key(event), _Cost(0, length, 0))

    def _alias(self, event: AliasEvent) -> None:
        self._count_name(event)
        anchor = self._anchors.get(event.anchor or "")
        if anchor is None:
            raise self._refusal(
                f"the alias *{event.anchor} has no anchor before it in the same document.", event
            )
        if anchor.cost is None:
            raise self._refusal(f"the alias *{event.anchor} stands inside the very node it repeats.", event)
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
        if inner.keys is not None:
            if inner.key_is_next and anchor.key is not None:
                self._add_key(inner.keys, anchor.key, event)
            inner.key_is_next = not inner.key_is_next

    def _begin_collection(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        self._has_content = True
        around = self._inner
        around.key_is_next = not around.key_is_next
        self._around.append(around)
        level = len(self._around)
        if level > MAX_DEPTH:
            raise self._refusal(_TOO_DEEP, event)
        self._inner = _Collection(set() if type(event) is MappingStartEvent else None, level)
        if event.anchor is not None:
            self._count_name(event)
            self._inner.anchor = self._anchors[event.anchor] = _Anchor(None, None)
            self._inner.before = self._cost_up_to(event.start_mark)

    def _end_collection(self, event: SequenceEndEvent | MappingEndEvent) -> None:
        ended = self._inner
        if ended.anchor is not None and ended.before is not None:
            ended.anchor.cost = self._cost_up_to(event.end_mark).since(ended.before)
            ended.anchor.depth = ended.deepest - len(self._around) + 1
        self._inner = around = self._around.pop()
        around.deepest = max(around.deepest, ended.deepest)

    def _count_name(self, event: NodeEvent) -> None:
        self._names += 1
        if self._names > MAX_NAMES:
            raise self._refusal(f"the manifest has more than {MAX_NAMES:,} anchors and aliases.", event)

    def _add_key(self, keys: set[_Key], key: _Key, event: NodeEvent) -> None:
        if key in keys:
            shown = key if isinstance(key, str) else key[1]
            advice = " List what it merges: <<: [*a, *b]." if shown == "<<" else ""
            raise self._refusal(f"the key {shown[:80]!r} is already in this mapping.{advice}", event)
        keys.add(key)

    def _cost_up_to(self, mark: _Mark | None) -> _Cost:
        return _Cost(
            self._events - self._events_allowed,
            _index(mark) + self._repeated_characters,
            self._followed_aliases,
        )

    def _current_document(self) -> int:
        """The number of the open document, or of the one that would come next."""
        return self._document if self._in_document else self._document + 1

    def _refusal(self, problem: str, event: Event) -> ManifestError:
        return ManifestError(problem, document=self._current_document(), line=_line(event.start_mark))

    def _syntax_error(self, error: MarkedYAMLError) -> ManifestError:
        line = _line(error.problem_mark)
        if line is not None:
            # A problem at the end of the text is reported on the line after the last.
            line = min(line, len(_LINE_BREAK.findall(self._text.rstrip(" " + _LINE_BREAKS))) + 1)
        problem = _explain(error, self._text)
        if self._text.startswith(_BOM):
            problem += " Remove the byte order mark at the start; to agents it indents the first line."
        return ManifestError(problem, document=self._current_document(), line=line)


def _key(event: ScalarEvent) -> _Key:
    text, tag = event.value, event.tag
    if tag is not None:
        # The tag `!` says that a scalar is to be taken as a string.
        return text if tag in {_STR, "!"} else (tag, text)
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return (_INT, text)
        if _FLOATING.fullmatch(text):
            return (_FLOAT, text)
    return text


def _is_null(key: _Key) -> bool:
    return isinstance(key, tuple) and key[0] == _NULL


def _explain(error: MarkedYAMLError, text: str) -> str:
    """What is wrong, in the words of the parser or, where those help nobody, in ours."""
    problem = error.problem or "it cannot be read"
    index = _index(error.problem_mark)
    found = text[index : index + 1]
    cannot_start = problem == "found character that cannot start any token"
    if "tab character" in problem or (cannot_start and found == "\t"):
        return "a tab stands where YAML allows only spaces; indent with spaces."
    if cannot_start:
        return f"a value cannot begin with {found!r}; put it in quotes."
    began = _line(error.context_mark)
    if error.context and began != _line(error.problem_mark):
        return f"this is not YAML: {problem} {error.context} that began on line {began}."
    return f"this is not YAML: {problem}."


def _refuse_forbidden_characters(text: str) -> None:
    """Raise ManifestError for the first character that may not be in YAML, if there is one."""
    if found := _FORBIDDEN.search(text):
        line = len(_LINE_BREAK.findall(text, 0, found.start())) + 1
        raise ManifestError(
            f"the character U+{ord(found[0]):04X} is not allowed in YAML; remove it.", line=line
        )


def _index(mark: _Mark | None) -> int:
    return mark.index if mark is not None else 0


def _line(mark: _Mark | None) -> int | None:
    return mark.line + 1 if mark is not None else None
