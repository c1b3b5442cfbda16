"""The results of a check: refusals of texts that agents cannot parse, and remarks on texts that they can parse."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# At most this many findings of what no agent can load, and this many of what agents and kubectl read differently.
MAX_FINDINGS: Final = 100


class Code(StrEnum):
    """What a finding is about. The values must not change, because clients use them."""

    # No agent can load these.
    NOT_AN_OBJECT = "not_an_object"
    METADATA_INVALID = "metadata_invalid"
    NAME_MISSING = "name_missing"
    KEY_NOT_STRING = "key_not_string"
    VALUE_NOT_STRING = "value_not_string"
    CUSTOM_TAG = "custom_tag"
    LIST_NOT_EXPANDED = "list_not_expanded"
    # Agents and kubectl read these differently.
    NUMBER_DIFFERS = "number_differs"
    WORD_DIFFERS = "word_differs"
    NOT_FINITE = "not_finite"
    BINARY_TAG = "binary_tag"
    MERGE_KEY = "merge_key"
    GENERATE_NAME = "generate_name"
    OBJECT_REPEATED = "object_repeated"
    # Another stack contradicts the text.
    OBJECT_IN_ANOTHER_STACK = "object_in_another_stack"
    # The version may not reach all agents, or not at once.
    FREEZE_NOT_OVERRIDDEN = "freeze_not_overridden"
    MAY_NEVER_BE_PROVEN = "may_never_be_proven"
    WAVE_MATCHES_NOBODY = "wave_matches_nobody"


_UNLOADABLE = frozenset(
    {
        Code.NOT_AN_OBJECT,
        Code.METADATA_INVALID,
        Code.NAME_MISSING,
        Code.KEY_NOT_STRING,
        Code.VALUE_NOT_STRING,
        Code.CUSTOM_TAG,
        Code.LIST_NOT_EXPANDED,
    }
)
# The sentences about these quote a value.
_QUOTING: Final = frozenset({Code.NUMBER_DIFFERS, Code.WORD_DIFFERS, Code.NOT_FINITE})
_UNQUOTED: Final = (
    "kubectl and agents read what is written here differently; put it in quotes. It is not repeated, because the "
    "document has a Secret."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a text that agents can parse. `problem` is a sentence.

    `more` is how many other places of the document have the same problem. Document and line count from 1; they are None
    if the remark is about no place in the text.
    """

    code: Code
    problem: str
    document: int | None = None
    line: int | None = None
    more: int = 0

    @property
    def is_loadable(self) -> bool:
        """Whether an agent can load the document in spite of the finding."""
        return self.code not in _UNLOADABLE

    @property
    def message(self) -> str:
        """The sentence with its place."""
        places = "place" if self.more == 1 else "places"
        likewise = f" {self.more:,} more {places} of this document are like it." if self.more else ""
        return _placed(self.problem + likewise, self.document, self.line)


class ManifestError(Exception):
    """A text that may not be stored as a manifest.

    `message` is a sentence that begins with the place, if it is known. `document` is the number of the document in
    the stream, `line` the number of the line in the whole text; both count from 1, and None means unknown.
    `code` says why agents can parse the text but not load it; it is None if they cannot parse it.
    """

    code: Code | None = None

    def __init__(self, problem: str, *, document: int | None = None, line: int | None = None) -> None:
        self.document = document
        self.line = line
        self.message = _placed(problem, document, line)
        super().__init__(self.message)

    @classmethod
    def of(cls, finding: Finding) -> "ManifestError":
        """The refusal of a text because of a finding that no agent can load."""
        error = cls(finding.problem, document=finding.document, line=finding.line)
        error.code = finding.code
        return error

    @property
    def details(self) -> dict[str, object]:
        """The place and the reason, as far as they are known."""
        known = {"document": self.document, "line": self.line, "reason": self.code}
        return {name: value for name, value in known.items() if value is not None}


class Findings:
    """Collects remarks. For each document and code it keeps the first remark and the number of others."""

    def __init__(self) -> None:
        self._unloadable: list[Finding] = []
        self._different: list[Finding] = []
        self._noted: dict[Code, tuple[str, int]] = {}
        self._times: Counter[Code] = Counter()

    def note(self, code: Code, problem: str, line: int) -> None:
        """Add a remark about the document that is being read."""
        self._noted.setdefault(code, (problem, line))
        self._times[code] += 1

    def end_document(self, document: int, *, holds_secret: bool) -> None:
        """Keep the remarks on the document. If the document is not an object at all, only that remark is kept.

        No remark on a document with a Secret repeats a value: it may be read by whoever may not see the value.
        """
        is_object = Code.NOT_AN_OBJECT not in self._noted
        for code, (problem, line) in self._noted.items():
            said = _UNQUOTED if holds_secret and code in _QUOTING else problem
            finding = Finding(code, said, document, line, self._times[code] - 1)
            kept = self._different if finding.is_loadable else self._unloadable
            if len(kept) < MAX_FINDINGS and (is_object or finding.is_loadable or code == Code.NOT_AN_OBJECT):
                kept.append(finding)
        self._noted.clear()
        self._times.clear()

    def all(self) -> list[Finding]:
        """All remarks, in the order of the text."""
        return sorted(self._unloadable + self._different, key=lambda found: (found.document, found.line))


def _placed(problem: str, document: int | None, line: int | None) -> str:
    numbers = {"document": document, "line": line}
    place = ", ".join(f"{name} {number}" for name, number in numbers.items() if number is not None)
    return f"{place.capitalize()}: {problem}" if place else problem
