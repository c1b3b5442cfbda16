"""How the text of a path such as `a.b["c"][d]` becomes a name and the keys to follow from it.

Tera rewrites the text instead of parsing it: the value of a bracketed variable is pasted in, then all
brackets become dots and quotes. The same is done here, so that keys with dots, quotes or brackets find the same
values as in Tera.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tera import limits
from tera.errors import Fatal, OverBudget
from tera.values import Value


class Missing(Enum):
    """The type of MISSING, which means that there is no value. This is not the same as null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Key:
    """A path ready for look-up: the variable, the rest of the text, and the keys the rest stands for."""

    text: str
    root: str
    rest: str | None
    tokens: tuple[str, ...]


def key_from(text: str) -> Key:
    """Take apart a path in which every bracket holds a literal or was pasted over."""
    if len(text) > limits.MAX_KEY_CHARACTERS:
        raise OverBudget(f"A path is longer than {limits.MAX_KEY_CHARACTERS} characters.")
    if "[" in text:
        text = _without_brackets(text)
    root, dot, rest = text.partition(".")
    if not dot:
        return Key(text, text, None, ())
    return Key(text, root, rest, tuple(_tokens(rest)))


def _without_brackets(text: str) -> str:
    replacements = (
        ("/", "~1"),
        ("['", '."'),
        ('["', '."'),
        ("[", "."),
        ("']", '"'),
        ('"]', '"'),
        ("]", ""),
    )
    for old, new in replacements:
        text = text.replace(old, new)
    return text


def bracketed_variables(text: str) -> list[str]:
    """Return the texts between brackets that are neither quoted nor a plain index."""
    found = []
    position = text.find("[")
    while position != -1:
        if text[position + 1 : position + 2] in {'"', "'", ""}:
            position = text.find("[", position + 2)
            continue
        end = _closing_bracket(text, position)
        if end is None:
            break
        inside = text[position + 1 : end]
        if not (inside.isascii() and inside.isdigit()):
            found.append(inside)
        position = text.find("[", end)
    return found


def _closing_bracket(text: str, opening: int) -> int | None:
    depth = 1
    for position in range(opening + 2, len(text)):
        if text[position] == "[":
            depth += 1
        elif text[position] == "]":
            depth -= 1
            if depth == 0:
                return position
    return None


def paste(text: str, variable: str, value_text: str) -> str:
    """Put the value of a bracketed variable in its place."""
    before, _, after = text.partition(f"[{variable}]")
    return f"{before}.{value_text}{after}"


def _tokens(pointer: str) -> list[str]:
    """Split at dots outside quotes, and drop the quotes.

    Tera counts characters but cuts bytes here, so that keys which are not ASCII are cut in the wrong
    place; where that falls inside a character it panics, and we say that the key cannot be reached.
    """
    if not pointer:
        return []
    try:
        tokens = [token.decode() for token in _Splitter(pointer.encode()).tokens()]
    except UnicodeDecodeError:
        raise Fatal(f"The key in `{pointer}` cannot be reached by a path; use the filter `get`.") from None
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


class _Splitter:
    def __init__(self, pointer: bytes) -> None:
        self._pointer = pointer
        self._start = 0
        self._single_quoted = False
        self._double_quoted = False
        self._escaped = False

    def tokens(self) -> list[bytes]:
        found = []
        while (token := self._next()) is not None:
            found.append(token)
        return found

    def _next(self) -> bytes | None:
        skipped = 0
        for index, character in enumerate(self._pointer[self._start :].decode()):
            if character == "\\":
                self._escaped = True
                continue
            quoted = self._single_quoted or self._double_quoted
            cuts = False
            if character in "\"'" and not self._escaped:
                self._toggle(character)
                cuts = True
            elif character == "." and not quoted and not self._escaped:
                cuts = True
            elif character == "]" and not quoted and not self._escaped:
                skipped += 1
            opens = character == "[" and not quoted and not self._escaped
            if cuts and index == skipped:
                skipped += 1
            elif cuts or opens:
                token = self._cut(skipped, index)
                self._start += index + 1
                if token:
                    self._escaped = False
                    return token
            self._escaped = False
        if self._start + skipped < len(self._pointer):
            token = self._pointer[self._start + skipped :]
            self._start = len(self._pointer)
            return token
        return None

    def _toggle(self, quote: str) -> None:
        if quote == '"':
            self._double_quoted = not self._double_quoted
        else:
            self._single_quoted = not self._single_quoted

    def _cut(self, skipped: int, index: int) -> bytes:
        if index < skipped:
            raise Fatal("The key cannot be reached by a path; use the filter `get`.")
        token = self._pointer[self._start + skipped : self._start + index]
        token.decode()
        return token


def follow(value: Value, tokens: tuple[str, ...]) -> Value | Missing:
    """Return what `tokens` lead to from `value`, or MISSING."""
    for token in tokens:
        if isinstance(value, dict):
            if token not in value:
                return MISSING
            value = value[token]
        elif isinstance(value, list):
            index = _index(token)
            if index is None or index >= len(value):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value


def _index(token: str) -> int | None:
    if not (token.isascii() and token.isdigit()) or len(token) > 19:
        return None
    if token[0] == "0" and len(token) > 1:
        return None
    return int(token)


def attribute_tokens(attribute: str) -> tuple[str, ...]:
    """Split the `attribute` argument of a filter; the empty string means the element itself."""
    if len(attribute) > limits.MAX_KEY_CHARACTERS:
        raise OverBudget(f"A path is longer than {limits.MAX_KEY_CHARACTERS} characters.")
    return tuple(_tokens(attribute))
