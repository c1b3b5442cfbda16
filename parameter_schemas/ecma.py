"""Regular expressions in the syntax of JavaScript, as JSON Schema has them, for the linear engine.

The two syntaxes differ in what `\\d`, `\\w`, `\\s` and `.` stand for, in a few escapes, and in what is
special inside a class. Look-around and back references cannot be had in linear time and stay invalid.
"""

import re
from functools import lru_cache
from typing import Final

_CLASSES: Final = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r"\t\n\x0b\x0c\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}",
}
_CONTROLS: Final = {"t": r"\t", "n": r"\n", "v": r"\x0b", "f": r"\x0c", "r": r"\r", "0": r"\x00"}
_UNICODE_ESCAPE = re.compile(r"u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})")
_SPECIAL_IN_CLASS: Final = frozenset("[&~")


@lru_cache(maxsize=256)
def from_ecma(pattern: str) -> str:
    """Return the pattern in the engine's own syntax."""
    written = []
    position = 0
    in_class = False
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern):
            text, length = _escape(pattern[position + 1 :], in_class=in_class)
            written.append(text)
            position += 1 + length
            continue
        if in_class:
            in_class = character != "]"
            written.append(f"\\{character}" if character in _SPECIAL_IN_CLASS else character)
        elif character == "[":
            text, length = _class_start(pattern[position : position + 3])
            written.append(text)
            position += length
            in_class = not text.endswith("]")
            continue
        else:
            written.append(r"[^\n\r\x{2028}\x{2029}]" if character == "." else character)
        position += 1
    return "".join(written)


def _class_start(text: str) -> tuple[str, int]:
    """Begin a class; an empty one matches nothing, and an empty negated one everything."""
    if text.startswith("[]"):
        return r"[^\x00-\x{10ffff}]", 2
    if text.startswith("[^]"):
        return r"[\x00-\x{10ffff}]", 3
    return ("[^", 2) if text.startswith("[^") else ("[", 1)


def _class_escape(letter: str, *, in_class: bool) -> str:
    if letter.isupper():
        return f"[^{_CLASSES[letter.lower()]}]"
    return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"


def _escape(rest: str, *, in_class: bool) -> tuple[str, int]:
    """Return what the escape at the beginning of `rest` is written as, and how long it is."""
    letter = rest[0]
    if letter.lower() in _CLASSES:
        return _class_escape(letter, in_class=in_class), 1
    if letter in "bB":
        return (r"\x08" if in_class else rf"(?-u:\{letter})"), 1
    if letter == "c" and rest[1:2].isascii() and rest[1:2].isalpha():
        return f"\\x{ord(rest[1]) % 32:02x}", 2
    if found := _UNICODE_ESCAPE.match(rest):
        return f"\\x{{{found.group(1) or found.group(2) or found.group(3)}}}", found.end()
    if letter in _CONTROLS:
        return _CONTROLS[letter], 1
    return f"\\{letter}", 1
