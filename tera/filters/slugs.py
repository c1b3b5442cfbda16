"""Slugs: a text in lower-case ASCII letters, digits and single hyphens."""

import re
from bisect import bisect_right
from typing import Final

from text_unidecode import unidecode  # type: ignore[import-untyped]  # it has no types

from tera.errors import Failure

# Where the transliteration agrees with that of Tera, checked character by character.
_RANGES: Final = (
    (0x80, 0x2E4),
    (0x2F4, 0x34E),
    (0x386, 0x3D7),
    (0x3DA, 0x3F3),
    (0x400, 0x429),
    (0x42B, 0x449),
    (0x44B, 0x482),
    (0x48C, 0x4C4),
    (0x4D0, 0x4F5),
    (0x530, 0x55F),
    (0x561, 0x587),
    (0x5D1, 0x5EE),
    (0x1E00, 0x1EF9),
    (0x2000, 0x205F),
    (0x20A0, 0x20AF),
    (0x2122, 0x2122),
    (0x2153, 0x2183),
    (0x218C, 0x21FF),
    (0x2500, 0x25F3),
    (0x3000, 0x3034),
    (0x3040, 0x3094),
    (0x30A0, 0x30FA),
    (0x3100, 0x312C),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xFF00, 0xFFEF),
)
_STARTS: Final = [start for start, _ in _RANGES]
_IDEOGRAPHS: Final = range(0x4E00, 0xA000)
_DISPUTED_IDEOGRAPHS: Final = frozenset("么什价旅术")
# The hard sign stands between words here, and for nothing in the table.
_OWN: Final = {"Ъ": "-", "ъ": "-"}

_SEPARATORS = re.compile("[^a-z0-9]+")


def slugify(text: str) -> str:
    """Return the slug of `text`.

    Raises Failure for a character that would not be transliterated as the original does, because a slug
    that differs silently is worse than none.
    """
    plain = text if text.isascii() else "".join(map(_transliterated, text))
    return _SEPARATORS.sub("-", plain.lower()).strip("-")


def _transliterated(character: str) -> str:
    if character.isascii():
        return character
    if character in _OWN:
        return _OWN[character]
    code = ord(character)
    at = bisect_right(_STARTS, code) - 1
    if at < 0 or code > _RANGES[at][1] or character in _DISPUTED_IDEOGRAPHS:
        raise _unsupported(character)
    plain: str = unidecode(character)
    if code in _IDEOGRAPHS and not any(letter.isalpha() for letter in plain):
        raise _unsupported(character)
    return plain


def _unsupported(character: str) -> Failure:
    return Failure(f"The filter `slugify` can not transliterate `{character}` (U+{ord(character):04X}).")
