"""JSON Schemas of template parameters: checking a schema, and parameters against one.

Nothing here trusts the schema: it may come from any tenant. References leave the document only towards the
meta-schemas that ship with the library, patterns run on an engine that does not backtrack, and every keyword
spends from a budget.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeVar, cast

from jsonschema import validators
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012, Schema, SchemaResource

from parameter_schemas.ecma import from_ecma
from parameter_schemas.formats import FORMATS
from tera.errors import Failure, OverBudget
from tera.limits import Budget
from tera.patterns import compile_pattern, matches
from tera.values import Value, plain_value, scalar_json

MAX_SCHEMA_CHARACTERS = 256 * 1024
MAX_SCHEMA_VALUES = 10_000
MAX_SCHEMA_DEPTH = 64
MAX_PARAMETER_DEPTH = 64
MAX_VIOLATIONS = 1_000
MAX_MESSAGE_CHARACTERS = 300
# A keyword costs about as much time as this many steps of a template.
_STEPS_PER_KEYWORD = 10

_DRAFTS: Final = {
    "http://json-schema.org/draft-04/schema": (validators.Draft4Validator, DRAFT4),
    "http://json-schema.org/draft-06/schema": (validators.Draft6Validator, DRAFT6),
    "http://json-schema.org/draft-07/schema": (validators.Draft7Validator, DRAFT7),
    "https://json-schema.org/draft/2019-09/schema": (validators.Draft201909Validator, DRAFT201909),
    "https://json-schema.org/draft/2020-12/schema": (validators.Draft202012Validator, DRAFT202012),
}
_DEFAULT_DRAFT: Final = "http://json-schema.org/draft-07/schema"
_OLDEST_FORMATS: Final = {"date-time", "email", "hostname", "ipv4", "ipv6", "uri"}
_NEWER_FORMATS: Final[Mapping[Any, frozenset[str]]] = {
    DRAFT4: frozenset(FORMATS) - _OLDEST_FORMATS,
    DRAFT6: frozenset(FORMATS) - _OLDEST_FORMATS - {"uri-reference", "uri-template", "json-pointer"},
    DRAFT7: frozenset({"duration", "uuid"}),
    DRAFT201909: frozenset(),
    DRAFT202012: frozenset(),
}
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")

_budget: ContextVar[Budget] = ContextVar("budget")
_Result = TypeVar("_Result")


class InvalidSchema(Exception):
    """The text is not a JSON Schema that parameters can be checked against."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def check_schema(text: str) -> None:
    """Return when `text` is a JSON Schema, valid for its draft and complete in itself.

    Raises InvalidSchema otherwise, also for patterns that cannot be searched in linear time.
    """
    _prepared(text)


def violations(schema_text: str, parameters: object) -> list[str]:
    """Return what is wrong with `parameters`, each as `"<json-pointer>: <text>"`, at the root `"<text>"`.

    Raises InvalidSchema when `schema_text` is not a schema `check_schema` accepts.
    """
    validator = _prepared(schema_text)
    try:
        instance = plain_value(parameters)
        if _depth(instance) > MAX_PARAMETER_DEPTH:
            return [f"The parameters are nested deeper than {MAX_PARAMETER_DEPTH} levels."]
        return _within_budget(lambda: _messages(validator, instance))
    except OverBudget:
        return ["The parameters take too much work to check against the schema."]
    except Failure as failure:
        return [failure.message]
    except RecursionError:
        return ["The parameters and the schema are nested too deeply to be checked."]
    except Unresolvable as error:
        raise InvalidSchema(f"The reference `{error.ref}` leads nowhere.") from None


def _messages(validator: Validator, instance: Value) -> list[str]:
    found: list[str] = []
    for error in validator.iter_errors(instance):
        if len(found) == MAX_VIOLATIONS:
            found.append(f"There are more than {MAX_VIOLATIONS} violations.")
            break
        found.append(_message(error))
    return found


def _message(error: ValidationError) -> str:
    text = error.message
    if len(text) > MAX_MESSAGE_CHARACTERS:
        text = text[: MAX_MESSAGE_CHARACTERS - 1] + "…"
    pointer = "".join(f"/{_escaped(str(step))}" for step in error.absolute_path)
    return f"{pointer}: {text}" if pointer else text


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _within_budget(work: Callable[[], _Result]) -> _Result:
    token = _budget.set(Budget())
    try:
        return work()
    finally:
        _budget.reset(token)


@lru_cache(maxsize=64)
def _prepared(text: str) -> Validator:
    """Return a validator for the schema, once everything about it has been checked."""
    schema = parsed_schema(text)
    named = schema.get("$schema") if isinstance(schema, dict) else None
    draft = named.rstrip("#") if isinstance(named, str) else _DEFAULT_DRAFT
    library_class, specification = _DRAFTS.get(draft, _DRAFTS[_DEFAULT_DRAFT])
    guarded = _guarded(library_class, _NEWER_FORMATS[specification])
    # Without formats: patterns are checked below, by the engine that is used for them.
    meta_class = _guarded(library_class, frozenset(FORMATS))
    try:
        _within_budget(lambda: _SchemaCheck(meta_class, specification).check(schema))
    except RecursionError:
        raise InvalidSchema("The schema is nested too deeply.") from None
    except Failure as failure:
        raise InvalidSchema(failure.message) from None
    validator: Validator = guarded(schema, registry=REGISTRY)
    return validator


def parsed_schema(text: str) -> Schema:
    """Return the JSON of a text that may be a schema; its form is not checked yet. Raises InvalidSchema."""
    if len(text) > MAX_SCHEMA_CHARACTERS:
        raise InvalidSchema(f"The schema is longer than {MAX_SCHEMA_CHARACTERS} characters.")
    try:
        schema = plain_value(json.loads(text, parse_constant=_refuse_constant, parse_int=_integer))
    except RecursionError:
        raise InvalidSchema("The schema is nested too deeply.") from None
    except ValueError as error:
        raise InvalidSchema(f"The schema is not JSON: {error}.") from None
    except Failure as failure:
        raise InvalidSchema(failure.message.replace("parameters hold", "schema holds")) from None
    if not isinstance(schema, dict | bool):
        raise InvalidSchema("A schema must be an object, or true or false.")
    if _depth(schema) > MAX_SCHEMA_DEPTH:
        raise InvalidSchema(f"The schema is nested deeper than {MAX_SCHEMA_DEPTH} levels.")
    if _size(schema) > MAX_SCHEMA_VALUES:
        raise InvalidSchema(f"The schema holds more than {MAX_SCHEMA_VALUES} values.")
    return cast("Schema", schema)


def _integer(digits: str) -> int | float:
    # Longer ones are out of the range of integers anyway, and slow to read.
    return int(digits) if len(digits) <= 20 else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _depth(value: Value) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, members), default=0)


def _size(value: Value) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, members))


class _SchemaCheck:
    """Refuses what is not a schema, references out of the document, and patterns that cannot be used."""

    def __init__(self, meta_class: Any, specification: Any) -> None:
        self._specification = specification
        self._meta_validator = meta_class(meta_class.META_SCHEMA, registry=REGISTRY)
        self._seen: set[int] = set()
        self._references: list[tuple[str, Any]] = []

    def check(self, schema: Schema) -> None:
        self._check_form(schema)
        root: SchemaResource = self._specification.create_resource(schema)
        self._walk(root, REGISTRY.resolver_with_root(root))
        while self._references:
            reference, resolver = self._references.pop()
            resolved = _looked_up(reference, resolver)
            # A reference may point at what is no schema where it stands.
            if id(resolved.contents) not in self._seen:
                self._check_form(resolved.contents)
                self._walk(self._specification.create_resource(resolved.contents), resolved.resolver)

    def _check_form(self, schema: Any) -> None:
        if not isinstance(schema, dict | bool):
            raise InvalidSchema("A reference leads to what is not a schema.")
        error = best_match(self._meta_validator.iter_errors(schema))
        if error is not None:
            raise InvalidSchema(f"The schema is not valid: {_message(error)}.")

    def _walk(self, resource: SchemaResource, resolver: Any) -> None:
        """Go through a schema and all schemas in it."""
        waiting = [(resource, resolver)]
        while waiting:
            part, resolver = waiting.pop()
            self._seen.add(id(part.contents))
            if isinstance(part.contents, dict):
                self._collect_references(part.contents, resolver)
                _check_patterns(part.contents)
            waiting.extend((inner, resolver.in_subresource(inner)) for inner in part.subresources())

    def _collect_references(self, schema: Mapping[str, Any], resolver: Any) -> None:
        for keyword in _REFERENCES:
            if keyword not in schema or keyword not in self._meta_validator.VALIDATORS:
                continue
            if not isinstance(schema[keyword], str):
                raise InvalidSchema(f"`{keyword}` must be a string.")
            self._references.append((schema[keyword], resolver))


def _looked_up(reference: str, resolver: Any) -> Any:
    try:
        return resolver.lookup(reference)
    except (Unresolvable, ValueError, TypeError):
        # The library fails on some references that are no URIs, and on pointers through what is no object.
        raise InvalidSchema(
            f"The reference `{reference}` leads nowhere in the schema, and others are not fetched."
        ) from None


def _check_patterns(schema: Mapping[str, Any]) -> None:
    patterns = schema.get("patternProperties")
    named = list(patterns) if isinstance(patterns, dict) else []
    if named and "unevaluatedProperties" in schema:
        raise InvalidSchema("`unevaluatedProperties` can not stand beside `patternProperties`.")
    single = schema.get("pattern")
    for pattern in [*named, single] if isinstance(single, str) else named:
        compile_pattern(from_ecma(pattern))


_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


@lru_cache(maxsize=16)
def _guarded(library_class: Any, unknown_formats: frozenset[str]) -> Any:
    """Return the validator class of a draft with keywords that spend, and safe ones where it matters."""
    formats = {name: check for name, check in FORMATS.items() if name not in unknown_formats}
    own: dict[str, _Keyword] = {**_SAFE_KEYWORDS, "format": _format_with(formats)}
    keywords = {name: _spending(own.get(name, keyword)) for name, keyword in library_class.VALIDATORS.items()}
    return validators.extend(library_class, keywords)  # type: ignore[no-untyped-call]  # as the library has it


def _spending(keyword: _Keyword) -> _Keyword:
    def spend(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        budget = _budget.get()
        size = len(value) if isinstance(value, list | dict) else 1
        budget.step(_STEPS_PER_KEYWORD + size)
        for error in keyword(validator, value, instance, schema) or ():
            # Messages quote what they are about, which may be large.
            budget.step(1 + len(error.message) // 64)
            yield error

    return spend


def _short(value: Value) -> str:
    text = scalar_json(value) if not isinstance(value, list | dict) else "This"
    return text if len(text) <= 100 else text[:99] + "…"


def _format_with(formats: Mapping[str, Callable[[str], bool]]) -> _Keyword:
    def check_format(_validator: Any, name: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        check = formats.get(name) if isinstance(name, str) else None
        if check is None or not isinstance(instance, str):
            return
        _budget.get().step(1 + len(instance) // 16)
        if not check(instance):
            yield ValidationError(f"{_short(instance)} is not a valid {name}")

    return check_format


def _found(pattern: str, text: str) -> bool:
    return matches(from_ecma(pattern), text, _budget.get())


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _found(pattern, instance):
        yield ValidationError(f"{_short(instance)} does not match `{pattern}`")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if _found(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in properties or any(_found(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"The property {_short(name)} is not allowed")
        else:
            yield from validator.descend(value, allowed, path=name)


def _unique_items(_validator: Any, unique: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if unique is not True or not isinstance(instance, list):
        return
    _budget.get().step(_size(instance))
    if len({_identity(item) for item in instance}) < len(instance):
        yield ValidationError("The items are not unique")


def _identity(value: Value) -> str:
    """Return a text that is the same for equal values, 1 and 1.0 among them."""
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
    # As written in decimal digits: in binary ones, 1.13 is no multiple of 0.01.
    if Fraction(repr(instance)) % Fraction(repr(factor)) != 0:
        yield ValidationError(f"{_short(instance)} is not a multiple of {_short(factor)}")


_SAFE_KEYWORDS: Final[Mapping[str, _Keyword]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
}
