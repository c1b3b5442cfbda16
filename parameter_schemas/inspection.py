"""Checks a schema itself: its form, the targets of its references, and whether its patterns can be searched for."""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema.exceptions import ValidationError, best_match
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import Schema, SchemaResource

from parameter_schemas.drafts import Draft, subschemas
from parameter_schemas.guarded import guarded_class
from parameter_schemas.patterns import check_pattern

MAX_MESSAGE_CHARACTERS = 300
META_SCHEMAS: Final = REGISTRY
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")


class InvalidSchema(Exception):
    """The text is not a JSON Schema against which parameters can be checked."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def message_of(error: ValidationError) -> str:
    """Return `"<json-pointer>: <text>"`, or `"<text>"` for the root."""
    text = error.message
    if len(text) > MAX_MESSAGE_CHARACTERS:
        text = text[: MAX_MESSAGE_CHARACTERS - 1] + "…"
    pointer = "".join(f"/{_escaped(str(step))}" for step in error.absolute_path)
    return f"{pointer}: {text}" if pointer else text


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


class Inspection:
    """Refuses a text that is not a schema of its draft, references out of it, and patterns that cannot be used."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        # Formats are not checked here: patterns are checked below, by the engine that searches for them.
        meta_class = guarded_class(draft, checks_content=False)
        self._meta_validator = meta_class(meta_class.META_SCHEMA, registry=META_SCHEMAS)
        self._seen: set[int] = set()
        self._references: list[tuple[str, Any]] = []

    def resolver_of(self, schema: Schema) -> Any:
        """Check `schema`, and return the resolver of its references.

        It removes the names of drafts from subschemas, because one draft applies to all of them. Raises InvalidSchema,
        Failure for patterns, and OverBudget.
        """
        self._check_form(schema)
        root: SchemaResource = self._draft.specification.create_resource(schema)
        resolver = META_SCHEMAS.resolver_with_root(root)
        # The whole schema is checked first, because the first look-up reads all identifiers.
        self._walk(schema, resolver)
        while self._references:
            reference, at = self._references.pop()
            resolved = _looked_up(reference, at)
            # The target of a reference may be in a place where it is not a schema by itself.
            if id(resolved.contents) not in self._seen:
                self._check_form(resolved.contents)
                self._walk(resolved.contents, resolved.resolver)
        return resolver

    def _check_form(self, schema: Any) -> None:
        if not isinstance(schema, dict | bool):
            raise InvalidSchema("A reference leads to what is not a schema.")
        error = best_match(self._meta_validator.iter_errors(schema))
        if error is not None:
            raise InvalidSchema(f"The schema is not valid: {message_of(error)}.")

    def _walk(self, schema: Schema, resolver: Any) -> None:
        """Check `schema` and all schemas inside it. `resolver` belongs to the references of `schema`."""
        waiting = [(schema, resolver)]
        while waiting:
            part, outer = waiting.pop()
            self._seen.add(id(part))
            if isinstance(part, dict):
                self._collect_references(part, outer)
                self._check_patterns(part)
            for inner in subschemas(part, self._draft):
                if isinstance(inner, dict):
                    inner.pop("$schema", None)
                waiting.append((inner, self._inside(inner, outer)))

    def _inside(self, schema: Schema, resolver: Any) -> Any:
        try:
            return resolver.in_subresource(self._draft.specification.create_resource(schema))
        except ValueError:
            raise InvalidSchema("The identifier of a subschema is no URI.") from None

    def _collect_references(self, schema: Mapping[str, Any], resolver: Any) -> None:
        for keyword in _REFERENCES:
            if keyword not in schema or keyword not in self._meta_validator.VALIDATORS:
                continue
            if not isinstance(schema[keyword], str):
                raise InvalidSchema(f"`{keyword}` must be a string.")
            self._references.append((schema[keyword], resolver))

    def _check_patterns(self, schema: Mapping[str, Any]) -> None:
        patterns = schema.get("patternProperties")
        for pattern in patterns if isinstance(patterns, dict) else ():
            check_pattern(pattern)
        if isinstance(pattern := schema.get("pattern"), str):
            check_pattern(pattern)


def _looked_up(reference: str, resolver: Any) -> Any:
    try:
        return resolver.lookup(reference)
    except (Unresolvable, ValueError, TypeError):
        # The library fails on some references that are not URIs, and on pointers through values that are not objects.
        raise InvalidSchema(
            f"The reference `{reference}` leads nowhere in the schema, and others are not fetched."
        ) from None
