"""Turns a template's JSON Schema into form fields, and the filled-in fields into JSON. Pure.

Simple parts of a schema become fields; the user types the values of all other parts as JSON. The values are checked
against the schema afterwards, so a field may accept more than the schema.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from parameter_schemas import InvalidSchema, parsed_schema
from stacks.secret_places import MASKED

PREFIX: Final = "parameter:"
# Beyond these limits a form would help nobody, and the value is typed as JSON.
MAX_DEPTH: Final = 4
MAX_FIELDS: Final = 200
# Numbers with more digits are not parsed.
_MAX_DIGITS: Final = 300


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LINES = "lines"
    JSON = "json"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field. `pointer` is the JSON pointer of its value, as validation messages name it."""

    pointer: str
    title: str
    kind: Kind
    is_required: bool = False
    help: str = ""
    # The schema's further rules, in words.
    hints: tuple[str, ...] = ()
    # The default as a person would type it; empty when there is none.
    default: str = ""
    # For a choice: each value as JSON text, and as people read it.
    choices: tuple[tuple[str, str], ...] = ()
    # For lines: the schema's type of an item.
    item_type: str = "string"
    fields: tuple["Parameter", ...] = ()

    @property
    def name(self) -> str:
        """The name of the control in the form."""
        return PREFIX + self.pointer

    @property
    def key(self) -> str:
        """The last step of the pointer, as the template calls the value."""
        return self.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


@dataclass(frozen=True, slots=True)
class Reading:
    """The filled-in value as JSON, and the problems, each as `<pointer>: <text>`."""

    value: Any
    problems: list[str] = field(default_factory=list)


# The field for parameters without a field. Pointers begin with a slash, so no parameter has this empty pointer.
OTHERS: Final = Parameter("", "Other parameters", Kind.JSON, help="A JSON object.")


def parameters_of(schema_text: str) -> list[Parameter]:
    """The fields of a schema. For a text that is no schema, only the field for other parameters."""
    try:
        parsed_schema(schema_text)
    except InvalidSchema:
        return [OTHERS]
    # Parse again, to keep the order in which the schema names the fields.
    schema = json.loads(schema_text, parse_int=_integer)
    reader = _Reader(schema)
    root = reader.resolved(schema)
    fields = reader.fields(root, "", 1) if isinstance(root, dict) else []
    takes_others = not isinstance(root, dict) or root.get("additionalProperties") is not False
    return [*fields, OTHERS] if takes_others or not fields else fields


def read(fields: list[Parameter], given: Mapping[str, str]) -> Reading:
    """The filled-in parameters. A field that `given` lacks has its default; a blank field is left out."""
    problems: list[str] = []
    value: dict[str, Any] = {}
    for parameter in fields:
        if parameter is OTHERS:
            continue
        found = _read(parameter, given, problems)
        if found is not _ABSENT:
            value[parameter.key] = found
    others = given.get(OTHERS.name, "").strip() if OTHERS in fields else ""
    if others:
        more = _read_json("", others, problems)
        if isinstance(more, dict):
            return Reading(more | value, problems)
        if not value and not problems:
            # The schema may allow any JSON value, not only objects.
            return Reading(more, problems)
        if not problems:
            problems.append("The other parameters must be a JSON object.")
    return Reading(value, problems)


_ABSENT: Final = object()


def _read(parameter: Parameter, given: Mapping[str, str], problems: list[str]) -> Any:
    if parameter.kind == Kind.GROUP:
        found = {inner.key: _read(inner, given, problems) for inner in parameter.fields}
        value = {key: each for key, each in found.items() if each is not _ABSENT}
        return value if value or parameter.is_required else _ABSENT
    text = given.get(parameter.name, parameter.default).replace("\r\n", "\n")
    if parameter.kind == Kind.LINES:
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        items: list[Any] = lines if parameter.item_type == "string" else [_number(line) for line in lines]
        return items if items or parameter.is_required else _ABSENT
    if not text.strip():
        return _ABSENT
    if parameter.kind == Kind.NUMBER:
        return _number(text.strip())
    if parameter.kind in {Kind.JSON, Kind.BOOLEAN, Kind.CHOICE}:
        return _read_json(parameter.pointer, text, problems)
    return text


def _read_json(pointer: str, text: str, problems: list[str]) -> Any:
    try:
        return json.loads(text, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        words = f"this is not JSON: {error}."
        problems.append(f"{pointer}: {words}" if pointer else words.capitalize())
        return _ABSENT


def _number(text: str) -> Any:
    """The number, or the text itself, which the schema check then refuses."""
    try:
        value = json.loads(text, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


class _Reader:
    """Reads the fields of one schema. It does not trust the shape of any part of the schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._fields_left = MAX_FIELDS

    def resolved(self, schema: Any) -> Any:
        """The schema that a reference within the document points to."""
        for _ in range(8):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#"):
                return schema
            found: Any = self._schema
            for step in reference[1:].split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                found = found.get(key) if isinstance(found, dict) else None
            # Keywords beside the reference describe this use of it.
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = found | beside if isinstance(found, dict) else found
        return {}

    def fields(self, schema: dict[str, Any], pointer: str, depth: int) -> list[Parameter]:
        """The fields of an object; none when there are too many, and then it is typed as JSON."""
        properties = schema.get("properties")
        if not isinstance(properties, dict) or len(properties) > self._fields_left:
            return []
        self._fields_left -= len(properties)
        required = schema.get("required")
        names = required if isinstance(required, list) else []
        found = []
        for key, part in properties.items():
            escaped = key.replace("~", "~0").replace("/", "~1")
            found.append(self._field(part, f"{pointer}/{escaped}", key, key in names, depth))
        return found

    def _field(self, part: Any, pointer: str, key: str, is_required: bool, depth: int) -> Parameter:  # noqa: FBT001
        schema = self.resolved(part)
        if not isinstance(schema, dict):
            schema = {}
        kind = _kind(schema)
        inner = self.fields(schema, pointer, depth + 1) if kind == Kind.GROUP and depth < MAX_DEPTH else []
        if kind == Kind.GROUP and not inner:
            kind = Kind.JSON
        return Parameter(
            pointer=pointer,
            title=_text(schema.get("title")) or key,
            kind=kind,
            is_required=is_required,
            help=_text(schema.get("description")),
            hints=tuple(_hints(schema, kind)),
            # One that is hidden is none.
            default=_typed(schema["default"], kind) if schema.get("default", MASKED) != MASKED else "",
            choices=tuple(_choices(schema)) if kind == Kind.CHOICE else (),
            item_type=_item_type(schema),
            fields=tuple(inner),
        )


def _kind(schema: dict[str, Any]) -> Kind:
    if isinstance(schema.get("enum"), list) or "const" in schema:
        return Kind.CHOICE
    name = _type(schema)
    if name in {"integer", "number"}:
        return Kind.NUMBER
    if name == "array":
        return Kind.LINES if _item_type(schema) else Kind.JSON
    if name == "object" or (name is None and isinstance(schema.get("properties"), dict)):
        return Kind.GROUP
    return {"string": Kind.TEXT, "boolean": Kind.BOOLEAN}.get(name or "", Kind.JSON)


def _type(schema: dict[str, Any]) -> str | None:
    """The one type that a value may have besides null. A blank field is left out, so null needs no control."""
    name = schema.get("type")
    if isinstance(name, list):
        names = [each for each in name if each != "null"]
        name = names[0] if len(names) == 1 else None
    return name if isinstance(name, str) else None


def _item_type(schema: dict[str, Any]) -> str:
    """The type of an array's items when an item fits on a line, else empty."""
    items = schema.get("items")
    name = _type(items) if isinstance(items, dict) and "enum" not in items else None
    return name if name in {"string", "integer", "number"} else ""


def _choices(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for value in schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]]:
        text = json.dumps(value, ensure_ascii=False)
        # A string is quoted only when it would look like another value without quotes.
        yield text, value if isinstance(value, str) and value and _number(value) == value else text


def _typed(value: Any, kind: Kind) -> str:
    """A value as a person would type it into the field."""
    if kind == Kind.TEXT and isinstance(value, str):
        return value
    if kind == Kind.LINES and isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if kind == Kind.GROUP:
        return ""
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None)


_WORDS: Final = {
    "format": "format {}",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def _hints(schema: dict[str, Any], kind: Kind) -> Iterator[str]:
    name = _type(schema)
    if kind == Kind.NUMBER and name:
        yield name
    elif kind == Kind.LINES:
        yield "one a line"
    elif kind == Kind.JSON:
        yield f"as JSON: {name}" if name else "as JSON"
    for keyword, words in _WORDS.items():
        value = schema.get(keyword)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            yield words.format(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
