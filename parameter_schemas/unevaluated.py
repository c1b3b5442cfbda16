"""The keywords `unevaluatedItems` and `unevaluatedProperties`, for what the other keywords have not checked."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jsonschema.exceptions import ValidationError
from referencing.jsonschema import lookup_recursive_ref

from parameter_schemas.budget import current_budget, current_work
from parameter_schemas.patterns import found

_STEPS: Final = 10
_Collect = Callable[[Any, Any, Any], set[Any]]


def unevaluated_items(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Check the items of an array that no other keyword has checked."""
    if not isinstance(instance, list):
        return
    evaluated = _items(validator, instance, _without(schema, "unevaluatedItems"))
    for index, item in enumerate(instance):
        if index in evaluated:
            continue
        if value is False:
            yield ValidationError("This item is not allowed", path=[index])
        else:
            yield from validator.descend(item, value, path=index)


def unevaluated_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Check the members of an object that no other keyword has checked."""
    if not isinstance(instance, dict):
        return
    evaluated = _properties(validator, instance, _without(schema, "unevaluatedProperties"))
    for name, item in instance.items():
        if name in evaluated:
            continue
        if value is False:
            yield ValidationError("This property is not allowed", path=[name])
        else:
            yield from validator.descend(item, value, path=name)


def _without(schema: Mapping[str, Any], keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def _items(validator: Any, instance: list[Any], schema: Any) -> set[int]:
    """Return the indexes of the items that are evaluated by a schema that the instance satisfies."""
    if not isinstance(schema, dict):
        return set()
    everything = set(range(len(instance)))
    items = schema.get("items")
    if "unevaluatedItems" in schema or ("items" in schema and not isinstance(items, list)):
        return everything
    if isinstance(items, list) and "additionalItems" in schema:
        return everything
    prefix = items if isinstance(items, list) else schema.get("prefixItems", [])
    evaluated = set(range(len(prefix)))
    if "contains" in schema and "prefixItems" in validator.VALIDATORS:
        # Counted since the draft that has `prefixItems`.
        matching = validator.evolve(schema=schema["contains"])
        evaluated.update(index for index, item in enumerate(instance) if matching.is_valid(item))
    return evaluated | _in_place(_items, validator, instance, schema)


def _properties(validator: Any, instance: dict[str, Any], schema: Any) -> set[str]:
    """Return the names of the members that are evaluated by a schema that the instance satisfies."""
    if not isinstance(schema, dict):
        return set()
    if "additionalProperties" in schema or "unevaluatedProperties" in schema:
        return set(instance)
    evaluated: set[str] = instance.keys() & schema.get("properties", {}).keys()
    for pattern in schema.get("patternProperties", {}):
        evaluated |= {name for name in instance if found(pattern, name, current_budget())}
    for name, subschema in schema.get("dependentSchemas", {}).items():
        if name in instance:
            evaluated |= _properties(validator.evolve(schema=subschema), instance, subschema)
    return evaluated | _in_place(_properties, validator, instance, schema)


def _in_place(collect: _Collect, validator: Any, instance: Any, schema: Mapping[str, Any]) -> set[Any]:
    """Return what is evaluated by the subschemas that apply to the instance itself and that it satisfies."""
    work = current_work()
    work.enter(_STEPS + len(instance))
    evaluated: set[Any] = set()
    try:
        for resolved in _referenced(validator, schema):
            inner = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
            evaluated |= collect(inner, instance, resolved.contents)
        for subschema in _applied(validator, instance, schema):
            evaluated |= collect(validator.evolve(schema=subschema), instance, subschema)
    finally:
        work.leave()
    return evaluated


def _referenced(validator: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema and keyword in validator.VALIDATORS:
            yield validator._resolver.lookup(schema[keyword])
    if "$recursiveRef" in schema and "$recursiveRef" in validator.VALIDATORS:
        yield lookup_recursive_ref(validator._resolver)


def _applied(validator: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        for subschema in schema.get(keyword, []):
            if validator.evolve(schema=subschema).is_valid(instance):
                yield subschema
    if "if" in schema:
        holds = validator.evolve(schema=schema["if"]).is_valid(instance)
        if holds:
            yield schema["if"]
        branch = schema.get("then" if holds else "else")
        if branch is not None and validator.evolve(schema=branch).is_valid(instance):
            yield branch
