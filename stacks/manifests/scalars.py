"""Which value an agent (its parser is serde_yaml) reads in a scalar, and when kubectl reads another value. Pure.

Agents follow the core schema of YAML 1.2, with own rules for numbers; kubectl follows YAML 1.1.
"""

import re
from typing import Final

from yaml.events import ScalarEvent

from stacks.manifests.findings import Code

# A string, or a pair of kind and value for any other value. Two are equal if agents treat them as equal.
Value = str | tuple[str, object]

NULL: Final[Value] = ("null", None)
INT: Final = "int"
FLOAT: Final = "float"
BOOL: Final = "bool"
TAGGED: Final = "tagged"

_CORE = "tag:yaml.org,2002:"
BINARY: Final = f"{_CORE}binary"
_NULLS: Final = frozenset({"~", "null", "Null", "NULL"})
_BOOLS: Final[dict[str, Value]] = {
    **dict.fromkeys(("true", "True", "TRUE"), (BOOL, True)),
    **dict.fromkeys(("false", "False", "FALSE"), (BOOL, False)),
}
_WORDS: Final[dict[str, Value]] = {"": NULL, **dict.fromkeys(_NULLS, NULL), **_BOOLS}
NUMBER_STARTS: Final = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"[-+]?0(?:x[0-9a-fA-F]+|o[0-7]+|b[01]+)")
_ZERO_PADDED = re.compile(r"[-+]?0[0-9]+")
_FLOATING = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN: Final = frozenset({".nan", ".NaN", ".NAN"})
# The shortest integer that does not fit has this many characters.
_LONG: Final = 19
# No integer of 128 bits has more digits. Python refuses to read very long integers.
_DIGITS_OF_128_BITS: Final = 39

# What only YAML 1.1 reads as true, as false and as a number.
_OLD_BOOLS: Final[dict[str, str]] = {
    form: meaning
    for meaning, words in (("true", ("y", "yes", "on")), ("false", ("n", "no", "off")))
    for word in words
    for form in (word, word.capitalize(), word.upper())
}
_OLD_BASED = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO]?[0-7]+)")
# Words that agents or kubectl do not read as text, or keys that make kubectl merge.
PECULIAR_WORDS: Final = frozenset({*_WORDS, *_OLD_BOOLS, "<<"})
_WHOLE: Final = 1e21
_SHOWN: Final = 40


class Unreadable(Exception):
    """A scalar that makes agents refuse the whole text. The message says why."""


def value_of(event: ScalarEvent) -> Value:
    """The value that agents read. Raises Unreadable."""
    text, tag = event.value, event.tag
    if tag is None:
        return text if event.style else plain_value(text)
    if is_custom(tag):
        return TAGGED, (custom_name(tag), text if event.style else plain_value(text))
    return _core_value(text, tag.removeprefix(_CORE) if tag.startswith(_CORE) else "")


def is_custom(tag: str) -> bool:
    """Whether the tag makes a value of its own type. Other tags that agents do not know make strings."""
    return tag.startswith("!")


def custom_name(tag: str) -> str:
    """The tag as agents compare it: they remove up to two `!`, if something is left."""
    once = tag[1:] or tag
    return once[1:] if once.startswith("!") and len(once) > 1 else once


def is_small_integer(text: str) -> bool:
    """A fast check: agents and kubectl read the plain scalar as the same integer, so there is no finding."""
    return len(text) < _LONG and text.isdecimal() and text[0] != "0"


def plain_value(text: str) -> Value:
    """The value that agents read in a scalar without tag and quotes. Raises Unreadable."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in NUMBER_STARTS:
        number = _integer(text)
        if number is None and not _ZERO_PADDED.fullmatch(text):
            number = _floating(text)
        if number is not None:
            return number
    return text


def difference(text: str) -> tuple[Code, str] | None:
    """If kubectl reads a plain scalar differently from agents: the code and one sentence."""
    if meaning := _OLD_BOOLS.get(text):
        return (
            Code.WORD_DIFFERS,
            f"kubectl reads {text} as {meaning}, agents as text; write {meaning}, or put it in quotes.",
        )
    if text[:1] not in NUMBER_STARTS:
        return None
    if _INFINITE.fullmatch(text) or text in _NAN:
        return Code.NOT_FINITE, f"kubectl refuses {text}, and agents apply null in its place; leave it out."
    if _FLOATING.fullmatch(text) and not _ZERO_PADDED.fullmatch(text) and not _DECIMAL.fullmatch(text):
        whole = float(text)
        # From this number on, kubectl also writes an exponent.
        if whole.is_integer() and abs(whole) < _WHOLE:
            meant = f"kubectl sends {shown(text)} as {whole:.0f}, agents as {whole}, which is no integer to the cluster"
            return Code.NUMBER_DIFFERS, f"{meant}; write {whole:.0f}, or put it in quotes."
    if ("_" in text or text.lstrip("+-").startswith("0")) and isinstance(plain_value(text), str):
        number = _kubectl_number(text.replace("_", "") if text[0] != "." else text)
        if number is not None:
            meant = f"kubectl reads {shown(text)} as the number {number}, agents as text"
            return Code.NUMBER_DIFFERS, f"{meant}; write {number}, or put it in quotes."
    return None


def _kubectl_number(text: str) -> int | float | None:
    if len(text) > _SHOWN:
        return None
    if _OLD_BASED.fullmatch(text):
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
        base = {"x": 16, "b": 2}.get(digits[1].lower(), 8)
        number = int(sign + digits.lower().removeprefix("0x").removeprefix("0b").removeprefix("0o"), base)
        return number if -(2**63) <= number < 2**64 else None
    if _DECIMAL.fullmatch(text):
        return int(text)
    return float(text) if _FLOATING.fullmatch(text) else None


def _core_value(text: str, core: str) -> Value:
    value: Value | None
    match core:
        case "null":
            value = NULL if text in _NULLS else None
        case "bool":
            value = _BOOLS.get(text)
        case "int":
            value = _integer(text)
        case "float":
            value = _floating(text)
        case _:
            return text
    if value is None:
        raise Unreadable(
            f"{shown(text)} is not what its tag !!{core} says, and agents refuse the whole text; remove the tag, or "
            "write such a value."
        )
    return value


def _integer(text: str) -> Value | None:
    if _BASED.fullmatch(text):
        number = int(text, 0)
    elif _DECIMAL.fullmatch(text):
        if len(text) > _DIGITS_OF_128_BITS + 1:
            return None
        number = int(text)
    else:
        return None
    if -(2**63) <= number < 2**64:
        return INT, number
    if -(2**127) <= number < 2**128:
        raise Unreadable(
            f"the integer {shown(text)} does not fit into 64 bits, and agents refuse the whole text; put it in quotes."
        )
    return None


def _floating(text: str) -> Value | None:
    if _FLOATING.fullmatch(text):
        number = float(text)
        # Agents read a number that is too large as a string.
        return None if number in (float("inf"), float("-inf")) else (FLOAT, number)
    if _INFINITE.fullmatch(text):
        return FLOAT, "-inf" if text[0] == "-" else "inf"
    # `.nan` is one value here, although it is not equal to itself.
    return (FLOAT, "nan") if text in _NAN else None


def shown(text: str) -> str:
    """The text in quotes, shortened."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
