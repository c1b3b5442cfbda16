"""Hiding the values of Kubernetes Secrets in a manifest that is shown to people. Pure.

It changes only those parts of the text, so that everything else, even white space, is shown as it was published.
`stacks/secret_places.py` finds the parts to hide.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from stacks.located_yaml import Span, without_tags
from stacks.secret_names import secret_names, texts_given
from stacks.secret_places import (
    MASKED,
    MASKED_TEXT,
    Hidden,
    Place,
    documents_at,
    mask_of,
    may_be_about_secrets,
    secret_places,
    secret_spans,
)

# A user with this permission may see hidden values; the audit log records each time.
REVEAL_PERMISSION = "stacks.reveal_secrets"
MASK = f'"{MASKED}"'
TEXT_MASK = f'"{MASKED_TEXT}"'
UNREADABLE = "# Not shown: this text cannot be read as YAML, so secrets in it cannot be told from the rest.\n"
# Exactly one expression that contains no literal text, so the template does not contain its value.
_EXPRESSION: Final = re.compile(r"""(["']?)\{\{[^"'`{}]*\}\}\1""")
_DIGEST_KEY: Final = token_bytes(32)
# So many characters of documents that may have Secrets are read to show a part: that takes half a second.
MAX_READ: Final = 1_000_000

# This replaces a hidden text, and is then shown as the mask.
Hide = Callable[[str, str], str]


def as_mask(_hidden: str, mask: str) -> str:
    return f'"{mask}"'


def mask_secrets(text: str, hide: Hide = as_mask) -> str:
    """The text with a mask in place of each value under `data` and `stringData` of a Secret.

    Comments between these values are replaced too, because people leave old values in them. Secrets in lists are masked
    too, also copies of Secrets that tools write into annotations, and texts that contain a Secret. A text that is not
    YAML and may be about Secrets is replaced as a whole.
    """
    spans = secret_spans(text)
    return _unreadable(text, hide) if spans is None else _replace(text, spans, hide)


def mask_template(source: str, hide: Hide = as_mask) -> str:
    """The source of a template with the same values masked, except values that are only an expression.

    It is read as YAML without its tags. An object whose kind contains tags may become a Secret, so it counts as one.
    Texts in tags are masked too where they may get into a Secret.
    """
    spans = _template_spans(source)
    return _unreadable(source, hide) if spans is None else _replace(source, spans, hide)


def _template_spans(source: str) -> list[Hidden] | None:
    spans, names = secret_spans(without_tags(source), source), secret_names(source)
    if spans is None:
        return None
    literal = [each for each in spans if not _EXPRESSION.fullmatch(source[each.start : each.end].strip())]
    texts = texts_given(source, names)
    # The longer one first of two that begin together.
    return sorted(
        [*literal, *(Hidden(start, end, MASKED) for start, end in texts)],
        key=lambda each: (each.start, -each.end),
    )


def comparable(masked: Callable[[str, Hide], str], text: str) -> str:
    """The text as `masked` returns it, but with a word in place of each mask. Equal values get the same word.

    It has the same lines as the masked text. The words are different after each start of the process and never shown.
    """
    return masked(text, _digest)


class ValueUnknown(Exception):
    """A mask is in a place where no hidden value is known. `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def restore_secrets(text: str, base: str) -> str:
    """`text` with each mask replaced by the value in the same place of `base`.

    The same place is the same key in the Secret with the same name. So nobody can learn a value by moving its mask to a
    place where values are shown. Raises ValueUnknown for a mask in any other place of a Secret. Outside of Secrets, a
    mask is only a text.
    """
    if MASKED not in text:
        return text
    known = _placed(base)
    pieces, position = [], 0
    for place, (start, end) in secret_places(text, is_masked=True):
        if start < position or text[start:end].strip() != f'"{mask_of(place)}"':
            continue
        if (value := known.get(place)) is None:
            raise ValueUnknown(_line_at(text, start))
        pieces += [text[position:start], value]
        position = start + len(f'"{mask_of(place)}"')
    return "".join([*pieces, text[position:]])


def masked_line(text: str) -> int | None:
    """The first line of a template, counted from 1, that has a mask in place of a value."""
    for start, end, mask in _template_spans(text) or ():
        if text[start:end].strip() == f'"{mask}"':
            return _line_at(text, start)
    return None


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _digest(hidden: str, _mask: str) -> str:
    return f'"{blake2b(hidden.encode(), key=_DIGEST_KEY, digest_size=16).hexdigest()}"'


def mask_part(text: str, start: int, end: int) -> str | None:
    """What `mask_secrets` makes of these characters of the text; None if too much around them would have to be read.

    Only the documents that they touch are read. Where the part begins inside of a hidden value, its mask is repeated.
    """
    pieces, read = [], 0
    for first, last in _documents_at(text, start, end):
        document = text[first:last]
        read += last - first if may_be_about_secrets(document) else 0
        if read > MAX_READ:
            return None
        begin, stop = max(start - first, 0), min(end, last) - first
        spans = secret_spans(document)
        if spans is None:
            pieces.append(UNREADABLE)
            continue
        for at, to, shown in _pieces(document, spans, as_mask):
            if to > begin and at < stop:
                pieces.append(shown if shown is not None else document[max(at, begin) : min(to, stop)])
    return "".join(pieces)


@lru_cache(maxsize=4)
def hides_values(text: str) -> bool:
    """Whether a mask hides something of a manifest. If too much would have to be read to tell, it counts as hiding."""
    read = 0
    for first, last in _documents_at(text, 0, len(text)):
        document = text[first:last]
        if not may_be_about_secrets(document):
            continue
        read += last - first
        if read > MAX_READ or mask_secrets(document) != document:
            return True
    return False


def _documents_at(text: str, start: int, end: int) -> list[Span]:
    # A text that is read in time is read as a whole, because one that is no YAML is hidden as a whole.
    return [(0, len(text))] if len(text) <= MAX_READ else documents_at(text, start, end)


def _unreadable(text: str, hide: Hide) -> str:
    return UNREADABLE if hide is as_mask else f"{hide(text, MASKED)}\n"


def _placed(text: str) -> dict[Place, str]:
    """The value in each place. A place that occurs twice is left out."""
    values: dict[Place, str] = {}
    doubled = set()
    for place, (start, end) in secret_places(text):
        if place in values:
            doubled.add(place)
        values[place] = text[start:end].rstrip()
    return {place: value for place, value in values.items() if place not in doubled}


def _replace(text: str, spans: list[Hidden], hide: Hide) -> str:
    return "".join(
        text[start:end] if shown is None else shown for start, end, shown in _pieces(text, spans, hide)
    )


def _pieces(text: str, spans: list[Hidden], hide: Hide) -> Iterator[tuple[int, int, str | None]]:
    """The whole text in pieces: from and to which character, and what is shown in its place if that is hidden."""
    position = 0
    for start, end, mask in spans:
        if start < position or start == end:
            continue  # It is inside a span that is hidden already, or there is nothing to hide.
        hidden = text[start:end]
        value = hidden.rstrip()
        yield position, start, None
        yield start, end, hide(value, mask) + hidden[len(value) :]
        position = end
    yield position, len(text), None
