"""Replacements for keywords of the library that trust the schema, are inexact, or fail on what a draft allows."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NoReturn

from jsonschema.exceptions import ValidationError

from parameter_schemas.budget import current_budget, current_work
from parameter_schemas.formats import FORMATS
from parameter_schemas.patterns import found
from parameter_schemas.unevaluated import unevaluated_items, unevaluated_properties
from tera.values import Value, scalar_json

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

# A keyword takes about as much time as this many steps of a template.
_STEPS_PER_KEYWORD: Final = 10
_JSON: Final = "application/json"


def spending(keyword: Keyword) -> Keyword:
    """Make a keyword spend from the budget, for its work and for its messages."""

    def spend(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        work = current_work()
        work.enter(_STEPS_PER_KEYWORD + (len(value) if isinstance(value, list | dict) else 1))
        try:
            for error in keyword(validator, value, instance, schema) or ():
                # Messages quote the value that they are about, which may be large.
                work.budget.step(1 + len(error.message) // 64)
                yield error
        finally:
            work.leave()

    return spend


def format_of(names: frozenset[str]) -> Keyword:
    """Return the keyword `format`, which checks the formats called `names` and ignores others."""

    def check_format(_validator: Any, name: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if name not in names or not isinstance(instance, str):
            return
        current_budget().step(1 + len(instance) // 16)
        if not FORMATS[name](instance):
            yield ValidationError(f"{_short(instance)} is not a valid {name}")

    return check_format


def _short(value: Value) -> str:
    text = scalar_json(value) if not isinstance(value, list | dict) else "This"
    return text if len(text) <= 100 else text[:99] + "…"


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not found(pattern, instance, current_budget()):
        yield ValidationError(f"{_short(instance)} does not match `{pattern}`")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if found(pattern, name, current_budget()):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in properties or any(found(pattern, name, current_budget()) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"The property {_short(name)} is not allowed")
        else:
            yield from validator.descend(value, allowed, path=name)


def _additional_items(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    items = schema.get("items")
    # If one schema applies to all items, there are no additional items.
    if not isinstance(instance, list) or not isinstance(items, list):
        return
    for index, item in enumerate(instance[len(items) :], start=len(items)):
        if allowed is False:
            yield ValidationError("This item is not allowed", path=[index])
        else:
            yield from validator.descend(item, allowed, path=index)


def _unique_items(_validator: Any, unique: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if unique is not True or not isinstance(instance, list):
        return
    current_budget().step(size(instance))
    if len({_identity(item) for item in instance}) < len(instance):
        yield ValidationError("The items are not unique")


def size(value: Value) -> int:
    """Return the number of values in `value`, including itself."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(size, members))


def _identity(value: Value) -> str:
    """Return a text that is the same for equal values, for example for 1 and 1.0."""
    if isinstance(value, list):
        return f"[{','.join(map(_identity, value))}]"
    if isinstance(value, dict):
        return (
            f"{{{','.join(f'{json.dumps(key)}:{_identity(item)}' for key, item in sorted(value.items()))}}}"
        )
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def _multiple_of(_validator: Any, factor: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, bool) or not isinstance(instance, int | float) or factor == 0:
        return
    # The numbers are compared in decimal form, because in binary form 1.13 is not a multiple of 0.01.
    if Fraction(repr(instance)) % Fraction(repr(factor)) != 0:
        yield ValidationError(f"{_short(instance)} is not a multiple of {_short(factor)}")


def _content_encoding(
    _validator: Any, name: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    # The original ignores both keywords if it does not know the value of the other one.
    is_known = schema.get("contentMediaType", _JSON) == _JSON
    if name == "base64" and is_known and isinstance(instance, str):
        current_budget().step(1 + len(instance) // 16)
        if _decoded(instance) is None:
            yield ValidationError(f"{_short(instance)} is not encoded in base64")


def _content_media_type(
    _validator: Any, name: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if name != _JSON or not isinstance(instance, str):
        return
    current_budget().step(1 + len(instance) // 16)
    encoding = schema.get("contentEncoding")
    if encoding is None:
        text: str | bytes | None = instance
    else:
        # The other keyword reports a wrong encoding.
        text = _decoded(instance) if encoding == "base64" else None
    if text is not None and not _is_json(text):
        yield ValidationError(f"{_short(instance)} does not hold JSON")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_json(text: str | bytes) -> bool:
    try:
        json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def refuse_constant(name: str) -> NoReturn:
    """Refuse a constant that Python reads as JSON although it is not JSON. Raises ValueError."""
    raise ValueError(f"{name} is no number")


# These replace the library's keywords in the drafts that have them.
OWN_KEYWORDS: Final[Mapping[str, Keyword]] = {
    "additionalItems": _additional_items,
    "additionalProperties": _additional_properties,
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "unevaluatedItems": unevaluated_items,
    "unevaluatedProperties": unevaluated_properties,
    "uniqueItems": _unique_items,
}
CONTENT_KEYWORDS: Final[Mapping[str, Keyword]] = {
    "contentEncoding": _content_encoding,
    "contentMediaType": _content_media_type,
}
