"""Shows YAML and JSON on pages: numbered lines, coloured by the classes of core/code.css.

The text may come from anybody. It is read by libyaml, up to a depth and a length; what lies beyond, or cannot be
read, is shown without colours. It is escaped in any case.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import yaml
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

# The ends of a line as a YAML parser counts them, and so as every line number in our errors counts them.
_BREAKS: Final = "\n\r\x85\u2028\u2029"
LINE_BREAK: Final = re.compile(f"\r\n|[{_BREAKS}]")
MAX_COLOURED_CHARACTERS: Final = 128 * 1024
# What is shown at once: so many lines, and so many characters of a part of a long text.
MAX_LINES: Final = 10_000
MAX_CHARACTERS: Final = 512 * 1024
# The lines of one part, as many as there are.
_LINES: Final = re.compile(f"(?>[^{_BREAKS}]*+(?:\r\n|[{_BREAKS}])){{1,{MAX_LINES - 1}}}+")
# The parser's time grows with the square of the depth.
_MAX_DEPTH: Final = 200

_COMMENT = re.compile("#[^\n\r\x85\u2028\u2029]*")
_CONSTANT = re.compile(
    r"null|~|true|false|[-+]?(?:0x[0-9a-f]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)", re.I
)
_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken, yaml.BlockMappingStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken, yaml.BlockEndToken)

# Where a coloured part begins and ends, and the class that colours it.
Span = tuple[int, int, str]
# Finds the coloured parts of a text, in order.
Spans = Callable[[str], Iterator[Span]]


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends. An empty last line is left out."""
    lines = LINE_BREAK.split(text)
    return lines[:-1] if lines[-1] == "" else lines


@dataclass(frozen=True, slots=True)
class Part:
    """What is shown at once of a long text: which part of how many, its characters, the number of its first line."""

    number: int
    count: int
    start: int
    end: int
    first_line: int


def part_of(text: str, number: int) -> Part:
    """The part with this number, from 1; of parts that do not exist the nearest.

    It ends behind a line, if that is not longer than a part.
    """
    starts = list(_starts(text))
    number = min(max(number, 1), len(starts))
    start, end = [*starts, len(text)][number - 1 : number + 1]
    breaks = sum(text.count(each, 0, start) for each in _BREAKS) - text.count("\r\n", 0, start)
    return Part(number, len(starts), start, end, breaks + 1)


def _starts(text: str) -> Iterator[int]:
    start = 0
    while True:
        yield start
        end = min(start + MAX_CHARACTERS, len(text))
        lines = _LINES.match(text, start, end)
        # What follows the last end of a line is no part by itself.
        if lines and (end < len(text) or LINE_BREAK.search(text, lines.end())):
            end = lines.end()
        if end == len(text):
            return
        start = end


def code_block(
    text: str, *, marked: int | None = None, spans: Spans | None = None, first_line: int = 1
) -> SafeString:
    """The text in a box, with lines numbered from `first_line`; line `marked` stands out. A very long text is cut.

    Coloured as YAML, or by `spans`.
    """
    breaks = list(islice(LINE_BREAK.finditer(text), MAX_LINES))
    end = breaks[-1].end() if len(breaks) == MAX_LINES else len(text)
    shown = coloured_lines(text[:end], spans or yaml_spans)
    rest = len(split_lines(text[end:])) if end < len(text) else 0
    body = format_html_join(
        "",
        '<span class="brokkr-line{}" data-line="{}">{}\n</span>',
        (
            (" brokkr-line-marked" if number == marked else "", number, line)
            for number, line in enumerate(shown, start=first_line)
        ),
    )
    if rest:
        body += format_html(
            '<span class="brokkr-rest">… and {} more lines, which are not shown here</span>',
            f"{rest:,}",
        )
    return format_html('<pre class="brokkr-code" tabindex="0">{}</pre>', body)


def coloured_lines(text: str, spans: Spans) -> list[SafeString]:
    """The lines of the text as HTML."""
    lines: list[list[str]] = [[]]
    for piece, colour in _pieces(text, spans):
        first, *others = LINE_BREAK.split(piece)
        lines[-1].append(_coloured(first, colour))
        lines.extend([_coloured(other, colour)] for other in others)
    if lines[-1] in ([], [""]):
        lines.pop()
    return [mark_safe("".join(parts)) for parts in lines]  # noqa: S308  # _coloured has escaped every part


def _coloured(text: str, colour: str) -> str:
    if not text or not colour:
        return escape(text)
    return format_html('<span class="brokkr-{}">{}</span>', colour, text)


def _pieces(text: str, spans: Spans) -> Iterator[tuple[str, str]]:
    position = 0
    for start, end, colour in spans(text[:MAX_COLOURED_CHARACTERS]):
        yield text[position:start], ""
        yield text[start:end], colour
        position = end
    yield text[position:], ""


def yaml_spans(text: str) -> Iterator[Span]:
    """The coloured parts of YAML: keys, texts, constants, names and comments."""
    # The parser skips a byte order mark and counts from behind it.
    offset = len(text) - len(text.removeprefix("\ufeff"))
    position = depth = 0
    is_key = False
    try:
        for token in yaml.scan(text[offset:], Loader=yaml.CSafeLoader):
            start, end = token.start_mark.index + offset, token.end_mark.index + offset
            if start > position:
                yield from _comments(text, position, start)
            if colour := _colour(token, is_key=is_key):
                hidden = text[start:end]
                yield start, start + len(hidden.rstrip()), colour
            position = max(position, end)
            is_key = isinstance(token, yaml.KeyToken) or (
                is_key and isinstance(token, yaml.AnchorToken | yaml.TagToken)
            )
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > _MAX_DEPTH:
                return
    except yaml.YAMLError:
        return
    yield from _comments(text, position, len(text))


def _comments(text: str, start: int, end: int) -> Iterator[Span]:
    for found in _COMMENT.finditer(text, start, end):
        yield found.start(), found.end(), "comment"


def _colour(token: Any, *, is_key: bool) -> str:
    if isinstance(token, yaml.ScalarToken):
        if is_key:
            return "key"
        if token.style:
            return "string"
        return "constant" if _CONSTANT.fullmatch(token.value) else ""
    if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
        return "name"
    if isinstance(token, yaml.DirectiveToken | yaml.DocumentStartToken | yaml.DocumentEndToken):
        return "mark"
    return ""
