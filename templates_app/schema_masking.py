"""Hiding defaults and examples in the schema of a template's parameters where they may be values of Secrets. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from stacks.masking import MASK, Hide, as_mask
from stacks.secret_names import secret_names
from stacks.secret_places import MASKED
from stacks.secret_values import MIN_CHARACTERS

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
# Under these keywords are schemas by their names, under those values that are none.
_MEMBERS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_DATA: Final = frozenset({"enum", "const", "default", "example", "examples"})
# What these say is hidden if a hidden value of so many characters is in it.
_WORDS: Final = frozenset({"title", "description", "$comment"})
# So many characters of them, once for each hidden value, are searched: that takes half a second. Where there are more,
# all of them are hidden.
_MAX_SEARCHED: Final = 500_000_000
# These say nothing that would have to be hidden.
_BARE: Final = frozenset({"true", "false", "null", '""', "[]", "{}"})
_NO_JSON: Final = object()

# The keywords, names and numbers that lead to a value.
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """A value in a text that is JSON: its place, and from and to which character it is."""

    place: Place
    start: int
    end: int


class MaskLeft(Exception):
    """A mask is in a place where no hidden value is known. `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def mask_schema(schema: str, template: str, hide: Hide = as_mask) -> str:
    """The schema with a mask in place of each default and example of what may get into a Secret of the template.

    Descriptions that repeat a hidden value are masked too.

    They are those of parameters that the template uses for its Secrets; all of them if that cannot be told, or if the
    schema has a parameter with `writeOnly` or `format: password`. A text that is no JSON is replaced as a whole.
    """
    names = _hidden_names(schema, template)
    if names == frozenset():
        return schema
    if _parsed(schema) is _NO_JSON:
        return hide(schema, MASKED)
    pieces, position = [], 0
    for value in _hidden(schema, names):
        pieces += [schema[position : value.start], hide(schema[value.start : value.end], MASKED)]
        position = value.end
    return "".join([*pieces, schema[position:]])


def restore_schema(schema: str, template: str, base_schema: str, base_template: str) -> str:
    """`schema` with each mask replaced by the default or example in the same place of `base_schema`.

    That place must be hidden also in the new schema with the new template, so that nobody can learn a value by a change
    of either. Raises MaskLeft for a mask in any other place of a default or example.
    """
    if _parsed(schema) is _NO_JSON:
        return schema
    known = {
        value.place: base_schema[value.start : value.end]
        for value in _hidden(base_schema, _hidden_names(base_schema, base_template))
    }
    hidden = {value.place for value in _hidden(schema, _hidden_names(schema, template))}
    pieces, position = [], 0
    for value in _values(schema):
        # In a description, a mask may also be a text that somebody has written.
        is_mask = _is_sample(value.place, holds_more=False) or (
            _is_word(value.place) and value.place in known
        )
        if not is_mask or schema[value.start : value.end] != MASK:
            continue
        if value.place not in known or value.place not in hidden:
            raise MaskLeft(schema.count("\n", 0, value.start) + 1)
        pieces += [schema[position : value.start], known[value.place]]
        position = value.end
    return "".join([*pieces, schema[position:]])


def _hidden_names(schema: str, template: str) -> frozenset[str] | None:
    """The parameters whose defaults and examples are hidden; None means all."""
    return None if _says_secret(_parsed(schema)) else secret_names(template)


def _says_secret(schema: Any) -> bool:
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("writeOnly") is True or part.get("format") == "password":
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False


def _parsed(schema: str) -> Any:
    try:
        return json.loads(schema)
    except (ValueError, RecursionError):
        return _NO_JSON


def _hidden(schema: str, names: frozenset[str] | None) -> list[_Value]:
    if names == frozenset():
        return []
    # What is not under a parameter of its own may be about any.
    samples = [
        value
        for value in _samples(schema)
        if names is None or value.place[0] != "properties" or value.place[1] in names
    ]
    texts = {
        text
        for value in samples
        for text in _texts_in(json.loads(schema[value.start : value.end]))
        if len(text) >= MIN_CHARACTERS
    }
    words = [value for value in _values(schema) if _is_word(value.place) and schema[value.start] == '"']
    if len(texts) * sum(value.end - value.start for value in words) <= _MAX_SEARCHED:
        words = [value for value in words if _repeats(json.loads(schema[value.start : value.end]), texts)]
    return sorted([*samples, *words], key=lambda value: value.start)


def _texts_in(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str):
            yield part


def _repeats(said: str, texts: set[str]) -> bool:
    return any(text in said for text in texts)


def _samples(schema: str) -> Iterator[_Value]:
    """The defaults and examples that say something, in order."""
    for value in _values(schema):
        text = schema[value.start : value.end]
        if _is_sample(value.place, holds_more=text[0] in "[{") and "".join(text.split()) not in _BARE:
            yield value


def _is_sample(place: Place, *, holds_more: bool) -> bool:
    number = _data_at(place)
    if number is None:
        return False
    deeper = len(place) - number - 1
    # Examples are hidden one by one, so that they stay a list.
    if place[number] == "examples":
        return deeper == 1 or (deeper == 0 and not holds_more)
    return deeper == 0 and place[number] in {"default", "example"}


def _is_word(place: Place) -> bool:
    """Whether the value is of one of `_WORDS`, as a keyword of a schema."""
    # As a name in a mapping of schemas, it would have `type` and the like below it, not a text.
    return place[-1:] != () and place[-1] in _WORDS and _data_at(place) is None


def _data_at(place: Place) -> int | None:
    """Where on the way a keyword is whose value is no schema; None if there is none."""
    is_name = False
    for number, step in enumerate(place):
        if is_name:
            is_name = False
        elif step in _DATA:
            return number
        else:
            is_name = step in _MEMBERS
    return None


def _values(schema: str) -> Iterator[_Value]:
    """All values of a text that is JSON, each after those in it."""
    starts: list[int] = []
    # Of each list and object that is open: the number, or the key once it is read.
    steps: list[int | str | None] = []
    for token in _TOKEN.finditer(schema):
        text = token[0]
        if text in {"[", "{"}:
            starts.append(token.start())
            steps.append(0 if text == "[" else None)
        elif text in {"]", "}"}:
            steps.pop()
            yield _Value(tuple(map(str, steps)), starts.pop(), token.end())
        elif text == ",":
            steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else None
        elif steps and steps[-1] is None:
            steps[-1] = json.loads(text)
        elif text != ":":
            yield _Value(tuple(map(str, steps)), *token.span())
