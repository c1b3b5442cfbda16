"""The syntax of manifests: what a text must not contain, and the parser's errors as plain sentences. Pure."""

import re
from typing import Final, Protocol

from yaml import MarkedYAMLError

from stacks.manifests.findings import ManifestError

# The limit of characters in all %TAG lines together. libyaml compares each such line with all lines before it, and
# copies its prefix into each tag that uses it. Without a limit, one request could keep a worker busy for minutes.
MAX_TAG_DIRECTIVES: Final = 1_000


BOM: Final = "\ufeff"
_LINE_BREAKS = "\n\r\x85\u2028\u2029"
_LINE_BREAK = re.compile(f"\r\n|[{_LINE_BREAKS}]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The literal comes first and the start of the line is checked after it, because this order is faster.
_TAG_DIRECTIVE = re.compile(f"%TAG(?<![^{_LINE_BREAKS}{BOM}]%TAG)[^{_LINE_BREAKS}]*")


class Mark(Protocol):
    """A place in the text, as the numbers of characters and of lines before it."""

    index: int
    line: int


def syntax_error(error: MarkedYAMLError, text: str, document: int) -> ManifestError:
    """The parser's error in that document of `text` as a refusal, with its line."""
    line = line_of(error.problem_mark)
    if line is not None:
        # The parser reports a problem at the end of the text on the line after the last one.
        line = min(line, len(_LINE_BREAK.findall(text.rstrip(" " + _LINE_BREAKS))) + 1)
    problem = _explain(error, text)
    if text.startswith(BOM):
        problem += " Remove the byte order mark at the start; to agents it indents the first line."
    return ManifestError(problem, document=document, line=line)


def refuse_tag_directives(text: str) -> None:
    """Raise ManifestError if all %TAG lines together are so long that reading them would take minutes."""
    if sum(map(len, _TAG_DIRECTIVE.findall(text))) > MAX_TAG_DIRECTIVES:
        raise ManifestError(
            f"The %TAG directives exceed {MAX_TAG_DIRECTIVES:,} characters; write the tags in full."
        )


def _explain(error: MarkedYAMLError, text: str) -> str:
    """What is wrong, in the parser's words or, if those are hard to understand, in our own words."""
    problem = error.problem or "it cannot be read"
    index = index_of(error.problem_mark)
    found = text[index : index + 1]
    cannot_start = problem == "found character that cannot start any token"
    if "tab character" in problem or (cannot_start and found == "\t"):
        return "a tab stands where YAML allows only spaces; indent with spaces."
    if "Unicode character escape" in problem:
        return "agents read no character that is written as two escapes, such as \\ud83d\\ude00; write it in UTF-8."
    if cannot_start:
        return f"a value cannot begin with {found!r}; put it in quotes."
    began = line_of(error.context_mark)
    if error.context and began != line_of(error.problem_mark):
        return f"this is not YAML: {problem} {error.context} that began on line {began}."
    return f"this is not YAML: {problem}."


def refuse_forbidden_characters(text: str) -> None:
    """Raise ManifestError for the first character that may not be in YAML, if there is one."""
    if found := _FORBIDDEN.search(text):
        line = len(_LINE_BREAK.findall(text, 0, found.start())) + 1
        raise ManifestError(
            f"the character U+{ord(found[0]):04X} is not allowed in YAML; remove it.", line=line
        )


def index_of(mark: Mark | None) -> int:
    """The number of characters before the mark."""
    return mark.index if mark is not None else 0


def line_of(mark: Mark | None) -> int | None:
    """The line of the mark, counted from 1."""
    return mark.line + 1 if mark is not None else None
