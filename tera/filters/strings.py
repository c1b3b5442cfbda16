"""Filters that take a string, and refuse everything else."""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

import regex  # type: ignore[import-untyped]  # it has no types

from tera import limits
from tera.arguments import Arguments
from tera.errors import OverBudget
from tera.filters.arrays import unescape
from tera.filters.signature import FilterFunction
from tera.filters.slugs import slugify
from tera.limits import Budget
from tera.values import MAX_U64, WHITE_SPACE, Value

_GRAPHEME = regex.compile(r"\X")
_LETTER: Final = r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]"
_EDGE: Final = rf"(?:(?<!{_LETTER})(?={_LETTER})|(?<={_LETTER})(?!{_LETTER}))"
# Apostrophes belong to words but are not letters: a word begins and ends with a letter.
_WORDS = regex.compile(rf"{_EDGE}({_LETTER}|')((?:{_LETTER}|')*){_EDGE}")
_BETWEEN_TAGS = re.compile(f">[{WHITE_SPACE}]+<")
_WHITE_SPACE_RUN = re.compile(f"[{WHITE_SPACE}]+")

# What `quote` always leaves alone.
_URL_UNRESERVED: Final = str.maketrans({"_": "%5F", ".": "%2E", "-": "%2D", "~": "%7E"})
_HTML: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "/": "&#x2F;"}
)
_XML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_SLASHES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "'": "\\'"})


def graphemes(text: str) -> list[str]:
    """Split a string into what a reader sees as characters."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = _GRAPHEME.findall(text)
    return found


def _simple(transform: Callable[[str], Value]) -> FilterFunction:
    """Make a filter of a function that needs the string alone."""

    def apply(value: Value, arguments: Arguments, budget: Budget) -> Value:
        text = arguments.string_value(value)
        budget.string(len(text))
        return transform(text)

    return apply


def _trim_start_matches(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    pattern = unescape(arguments.string("pat"))
    start = 0
    while pattern and text.startswith(pattern, start):
        start += len(pattern)
    budget.step(start >> 6)
    return text[start:]


def _trim_end_matches(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    pattern = unescape(arguments.string("pat"))
    end = len(text)
    while pattern and text.endswith(pattern, 0, end):
        end -= len(pattern)
    budget.step((len(text) - end) >> 6)
    return text[:end]


def _truncate(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    length = arguments.integer("length", 255, low=0, high=MAX_U64)
    end = arguments.string("end", "…")
    if length >= len(text):
        return text
    budget.items(len(text) >> 2)
    characters = graphemes(text)
    if length >= len(characters):
        return text
    return "".join(characters[:length]) + end


def _replace(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    old, new = arguments.string("from"), arguments.string("to")
    _bound(len(text) + text.count(old) * (len(new) - len(old)))
    budget.string(len(text))
    return text.replace(old, new)


def _bound(length: int) -> None:
    """Refuse a text before it is made."""
    if length > limits.MAX_STRING_CHARACTERS:
        raise OverBudget(f"A text would be longer than {limits.MAX_STRING_CHARACTERS} characters.")


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:].lower()


def _title(text: str) -> str:
    titled: str = _WORDS.sub(lambda word: word[1].upper() + word[2].lower(), text)
    return titled


def _line_breaks(text: str) -> str:
    return text.replace("\r\n", "<br>").replace("\n", "<br>")


def _indent(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    prefix = arguments.string("prefix", "    ")
    first, blank = arguments.boolean("first"), arguments.boolean("blank")
    _bound(len(text) + len(prefix) * (text.count("\n") + 1))
    budget.string(len(text))
    indented = []
    for number, line in enumerate(_lines(text)):
        wanted = first if number == 0 else blank or line.strip(WHITE_SPACE) != ""
        indented.append(prefix + line if wanted else line)
    return "\n".join(indented)


def _lines(text: str) -> list[str]:
    """Split at line breaks, which are dropped, together with the carriage returns before them."""
    if not text:
        return []
    *ended, last = text.split("\n")
    lines = [line.removesuffix("\r") for line in ended]
    return [*lines, last] if last else lines


def _strip_tags(text: str) -> str:
    pieces = []
    position = 0
    # No comment ends before this place, so a text with many openings is not searched again for each of them.
    no_comment_before = 0
    while (start := text.find("<", position)) != -1:
        end = -1
        if text.startswith("<!--", start) and start >= no_comment_before:
            line_end = text.find("\n", start)
            line_end = len(text) if line_end == -1 else line_end
            end = text.find("-->", start + 4, line_end)
            if end == -1:
                no_comment_before = line_end
            else:
                end += 2
        if end == -1:
            end = text.find(">", start)
        if end == -1:
            break
        pieces.append(text[position:start])
        position = end + 1
    pieces.append(text[position:])
    return "".join(pieces)


def _url_encoded(text: str) -> str:
    # Every character that is not ASCII becomes at least six.
    _bound(3 * len(text.encode()) - 2 * len(text))
    return quote(text, safe="/%")


def _strictly_url_encoded(text: str) -> str:
    _bound(3 * len(text.encode()) - 2 * len(text))
    return quote(text, safe="").translate(_URL_UNRESERVED)


def _split(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    pattern = unescape(arguments.string("pat"))
    budget.string(len(text))
    if not pattern:
        budget.items(len(text) + 2)
        return ["", *text, ""]
    budget.items(text.count(pattern) + 1)
    return list(text.split(pattern))


def _slugify(value: Value, arguments: Arguments, budget: Budget) -> Value:
    text = arguments.string_value(value)
    budget.string(len(text))
    if not text.isascii():
        # Looking up a character takes far longer than copying one.
        budget.step(2 * len(text))
    return slugify(text)


def _word_count(text: str) -> int:
    return len([word for word in _WHITE_SPACE_RUN.split(text) if word])


STRING_FILTERS: Final[Mapping[str, FilterFunction]] = {
    "upper": _simple(str.upper),
    "lower": _simple(str.lower),
    "trim": _simple(lambda text: text.strip(WHITE_SPACE)),
    "trim_start": _simple(lambda text: text.lstrip(WHITE_SPACE)),
    "trim_end": _simple(lambda text: text.rstrip(WHITE_SPACE)),
    "trim_start_matches": _trim_start_matches,
    "trim_end_matches": _trim_end_matches,
    "truncate": _truncate,
    "wordcount": _simple(_word_count),
    "replace": _replace,
    "capitalize": _simple(_capitalize),
    "title": _simple(_title),
    "linebreaksbr": _simple(_line_breaks),
    "indent": _indent,
    "striptags": _simple(_strip_tags),
    "spaceless": _simple(lambda text: _BETWEEN_TAGS.sub("><", text)),
    "urlencode": _simple(_url_encoded),
    "urlencode_strict": _simple(_strictly_url_encoded),
    "escape": _simple(lambda text: text.translate(_HTML)),
    "escape_xml": _simple(lambda text: text.translate(_XML)),
    "addslashes": _simple(lambda text: text.translate(_SLASHES)),
    "slugify": _slugify,
    "split": _split,
}
