"""Reads regular expressions in the syntax of JavaScript, which JSON Schema uses, and writes them for other engines.

The two syntaxes differ in what `\\d`, `\\w`, `\\s` and `.` stand for, in a few escapes, in what is special inside a
class, and in which braces and hyphens stand for themselves.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NoReturn

from tera.errors import Failure

Ranges = tuple[tuple[int, int], ...]

_LAST: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xDFFF)
_CLASSES: Final[dict[str, Ranges]] = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": (
        (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    ),
}  # fmt: skip
_LINE_ENDS: Final[Ranges] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
# `{,2}` is not a repetition in JavaScript, but it is one in the original, and authors mean it as one.
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(?:([0-9]{1,9})(,([0-9]{0,9}))?|,[0-9]{1,9})\})\??")
_HEXADECIMAL = re.compile(r"u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})")
_LOW_SURROGATE = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_PROPERTY = re.compile(r"[pP](?:\{[A-Za-z0-9_=]+\}|[A-Z])")
_GROUP_NAME = re.compile(r"\(\?P?<([A-Za-z_$][A-Za-z0-9_$]*)>")
_FLAGS = re.compile(r"\(\?(?:[ims]+(?:-[ims]+)?|-[ims]+|(?=:))([:)])")
_NAMED_REFERENCE = re.compile(r"k<([A-Za-z_$][A-Za-z0-9_$]*)>")
_NUMBERED_REFERENCE = re.compile(r"[1-9][0-9]{0,2}")
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!")
_DEEPEST: Final = 100


class Special(Enum):
    """What must be written differently for the linear engine (first) and for the one that backtracks."""

    GROUP = ("(", "(")
    START = ("^", "^")
    END = ("$", r"\Z")
    BOUNDARY = (r"(?-u:\b)", r"\b")
    NO_BOUNDARY = (r"(?-u:\B)", r"\B")
    FIRST = (r"\A", r"\A")
    LAST = (r"\z", r"\Z")


@dataclass(frozen=True, slots=True)
class EcmaPattern:
    """A pattern for the linear engine, and for the backtracking engine if only that one can search for it."""

    linear: str
    backtracking: str
    needs_backtracking: bool


@lru_cache(maxsize=256)
def read_ecma(pattern: str) -> EcmaPattern:
    """Return the pattern in the syntax of other engines. Raises Failure if it is not a regular expression."""
    reader = _Reader(pattern)
    reader.read()
    linear, backtracking = (
        "".join(piece.value[engine] if isinstance(piece, Special) else piece for piece in reader.pieces)
        for engine in (0, 1)
    )
    return EcmaPattern(linear, backtracking, reader.needs_backtracking)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pieces: list[str | Special] = []
        self.needs_backtracking = False
        self._pattern = pattern
        self._position = 0
        self._depth = 0
        self._names: list[str | None] = _group_names(pattern)

    def read(self) -> None:
        self._alternatives()
        if self._position < len(self._pattern):
            self._fail("a parenthesis closes nothing")

    def _fail(self, reason: str) -> NoReturn:
        raise Failure(f"The regular expression `{self._pattern[:100]}` is not valid: {reason}.")

    def _at(self, text: str) -> bool:
        return self._pattern.startswith(text, self._position)

    def _take(self, text: str) -> bool:
        if not self._at(text):
            return False
        self._position += len(text)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._pattern, self._position)
        if found is not None:
            self._position = found.end()
        return found

    def _alternatives(self) -> None:
        """Read up to the parenthesis that closes this group, or to the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"groups are nested deeper than {_DEEPEST} levels")
        while self._position < len(self._pattern) and not self._at(")"):
            if self._take("|"):
                self.pieces.append("|")
            else:
                self._quantified()
        self._depth -= 1

    def _quantified(self) -> None:
        begin = len(self.pieces)
        repeatable = self._atom()
        quantifier = self._match(_QUANTIFIER)
        if quantifier is None:
            return
        low, comma, high = quantifier.group(1, 2, 3)
        if not repeatable:
            self._fail("there is nothing to repeat")
        if low and high and int(low) > int(high):
            self._fail("the numbers of a repetition are out of order")
        if low and not comma:
            # The engines read `{2}?` in different ways; an exact count is never lazy.
            self.pieces.append(f"{{{low}}}")
        else:
            self.pieces.append(quantifier.group().replace("{,", "{0,"))
        if self.pieces[begin] in _LOOKS:
            self.pieces.insert(begin, "(?:")
            self.pieces.insert(len(self.pieces) - 1, ")")

    def _atom(self) -> bool:
        """Read one part of a pattern. Returns whether it may be repeated."""
        character = self._pattern[self._position]
        if character == "(":
            return self._group()
        if character == "[":
            self._class()
        elif character == "\\":
            self._position += 1
            return self._escape()
        elif character in "^$":
            self._position += 1
            self.pieces.append(Special.START if character == "^" else Special.END)
            return False
        elif self._match(_QUANTIFIER):
            self._fail("there is nothing to repeat")
        else:
            self._position += 1
            self.pieces.append(
                _set(_LINE_ENDS, negated=True) if character == "." else _literal(ord(character))
            )
        return True

    def _group(self) -> bool:
        look = next((look for look in _LOOKS if self._at(look)), None)
        if look is not None:
            self._position += len(look)
            self.pieces.append(look)
            self.needs_backtracking = True
        elif self._match(_GROUP_NAME):
            self.pieces.append(Special.GROUP)
        elif flags := self._match(_FLAGS):
            self.pieces.append(flags.group())
            if flags.group(1) == ")":
                return False
        elif self._at("(?"):
            self._fail("no group begins like that")
        else:
            self._position += 1
            self.pieces.append(Special.GROUP)
        self._alternatives()
        if not self._take(")"):
            self._fail("a group is not closed")
        self.pieces.append(")")
        # Only a look-ahead may be repeated.
        return look is None or "<" not in look

    def _escape(self) -> bool:
        if self._position == len(self._pattern):
            self._fail("nothing follows the last backslash")
        letter = self._pattern[self._position]
        special = {
            "b": Special.BOUNDARY, "B": Special.NO_BOUNDARY, "A": Special.FIRST, "z": Special.LAST,
        }.get(letter)  # fmt: skip
        if special is not None:
            self._position += 1
            self.pieces.append(special)
            return False
        if number := self._match(_NUMBERED_REFERENCE):
            self._reference(int(number.group()))
        elif named := self._match(_NAMED_REFERENCE):
            name = named.group(1)
            self._reference(self._names.index(name) + 1 if name in self._names else len(self._names) + 1)
        elif property_ := self._match(_PROPERTY):
            self.pieces.append(f"\\{property_.group()}")
        elif (ranges := self._class_escape()) is not None:
            self.pieces.append(_set(ranges))
        else:
            code = self._character_escape()
            self.pieces.append(_set(()) if _is_surrogate(code) else _literal(code))
        return True

    def _reference(self, number: int) -> None:
        if number > len(self._names):
            self._fail("there is no group that it refers back to")
        # A reference to a group that did not match stands for an empty text here, but it matches nothing in the engine.
        self.pieces.append(f"(?({number})\\{number}|)")
        self.needs_backtracking = True

    def _class_escape(self) -> Ranges | None:
        letter = self._pattern[self._position]
        if letter.lower() not in _CLASSES:
            return None
        self._position += 1
        ranges = _CLASSES[letter.lower()]
        return _complement(ranges) if letter.isupper() else ranges

    def _character_escape(self) -> int:
        """Read an escape for one character, and return its code."""
        if found := self._match(_HEXADECIMAL):
            code = int(found.group(1) or found.group(2) or found.group(3), 16)
            if 0xD800 <= code < 0xDC00 and (low := self._match(_LOW_SURROGATE)):
                code = 0x10000 + ((code - 0xD800) << 10) + int(low.group(1), 16) - 0xDC00
            if code > _LAST:
                self._fail("there is no such character")
            return code
        letter = self._pattern[self._position]
        self._position += 1
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        following = self._pattern[self._position : self._position + 1]
        if letter == "0" and not following.isdecimal():
            return 0
        if letter == "c" and following.isascii() and following.isalpha():
            self._position += 1
            return ord(following) % 32
        if letter.isascii() and letter.isalnum():
            self._fail(f"there is no escape `\\{letter}`")
        return ord(letter)

    def _class(self) -> None:
        self._position += 1
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        properties: list[str] = []
        while not self._take("]"):
            first = self._member(properties)
            if self._at("-") and not self._at("-]"):
                self._position += 1
                last = self._member(properties)
                if isinstance(first, int) and isinstance(last, int):
                    if first > last:
                        self._fail("the ends of a range are out of order")
                    ranges.append((first, last))
                    continue
                # Beside a class, a hyphen is an ordinary character.
                ranges.append((0x2D, 0x2D))
                ranges.extend(_as_ranges(last))
            ranges.extend(_as_ranges(first))
        self.pieces.append(_set(ranges, "".join(properties), negated=negated))

    def _member(self, properties: list[str]) -> int | Ranges:
        if self._position >= len(self._pattern):
            self._fail("a class is not closed")
        if not self._take("\\"):
            self._position += 1
            return ord(self._pattern[self._position - 1])
        if self._position == len(self._pattern):
            self._fail("nothing follows the last backslash")
        if self._take("b"):
            return 0x08
        if found := self._match(_PROPERTY):
            properties.append(f"\\{found.group()}")
            return ()
        ranges = self._class_escape()
        return self._character_escape() if ranges is None else ranges


def _group_names(pattern: str) -> list[str | None]:
    """Return the name of each capturing group, or None, in the order of their numbers."""
    names: list[str | None] = []
    for found in re.finditer(
        r"\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?P?<(?![=!])([^>]*)>|(?!\?))", pattern, re.DOTALL
    ):
        if found.group().startswith("("):
            names.append(found.group(1))
    return names


def _as_ranges(member: int | Ranges) -> Ranges:
    return ((member, member),) if isinstance(member, int) else member


def _complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    result = []
    begin = 0
    for low, high in sorted((*ranges, _SURROGATES)):
        if begin < low:
            result.append((begin, low - 1))
        begin = max(begin, high + 1)
    if begin <= _LAST:
        result.append((begin, _LAST))
    return tuple(result)


def _is_surrogate(code: int) -> bool:
    return _SURROGATES[0] <= code <= _SURROGATES[1]


def _set(ranges: Iterable[tuple[int, int]], properties: str = "", *, negated: bool = False) -> str:
    """Write a class of characters, without surrogates, because texts contain none."""
    inner = properties + "".join(
        _literal(low) if low == high else f"{_literal(low)}-{_literal(high)}"
        for low, high in (_without_surrogates(*each) for each in ranges)
        if low <= high
    )
    if not inner:
        # An empty class matches nothing, and a negated empty class matches everything.
        return f"[{'' if negated else '^'}{_literal(0)}-{chr(_LAST)}]"
    return f"[{'^' if negated else ''}{inner}]"


def _without_surrogates(low: int, high: int) -> tuple[int, int]:
    if _is_surrogate(low):
        low = _SURROGATES[1] + 1
    return low, _SURROGATES[0] - 1 if _is_surrogate(high) else high


def _literal(code: int) -> str:
    """Write one character so that it is an ordinary character, inside and outside a class."""
    character = chr(code)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if code < 0x7F and not character.isalnum() and character not in "<> _":
        return f"\\{character}"
    return character
