"""Slugs: a text in lower-case ASCII letters, digits and single hyphens."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_TABLES: Final = Path(__file__).parent / "deunicode"
_SEPARATORS = re.compile("[^a-z0-9]+")


def slugify(text: str) -> str:
    """Return the slug of `text`. Characters that are in no table become hyphens."""
    plain = text if text.isascii() else "".join(map(_transliterated, text))
    return _SEPARATORS.sub("-", plain.lower()).strip("-")


@lru_cache(maxsize=1)
def _tables() -> tuple[bytes, str]:
    return (_TABLES / "pointers.bin").read_bytes(), (_TABLES / "mapping.txt").read_text(encoding="ascii")


def _transliterated(character: str) -> str:
    if character.isascii():
        return character
    pointers, mapping = _tables()
    pointer = pointers[3 * ord(character) : 3 * ord(character) + 3]
    if not pointer:
        return "-"
    first, second, length = pointer
    if length <= 2:
        return pointer[:length].decode("ascii")
    start = first | second << 8
    # Characters that cannot be transliterated point behind the end.
    return mapping[start : start + length] if start + length <= len(mapping) else "-"
