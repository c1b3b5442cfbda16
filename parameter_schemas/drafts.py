"""The drafts of JSON Schema: their keywords and formats, and where a schema contains other schemas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from jsonschema import validators
from referencing import Specification
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012, Schema

from parameter_schemas.formats import FORMATS

# Keywords whose value is a schema, a list of schemas, or an object of schemas. Some accept two of these forms, and
# `dependencies` may contain lists of names beside schemas.
_SCHEMA_VALUES: Final = frozenset(
    {
        "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_SCHEMA_LISTS: Final = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_SCHEMA_MEMBERS: Final = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
# Keywords that contain schemas, but for which the library has no function.
_WITHOUT_FUNCTION: Final = frozenset({"$defs", "contentSchema", "definitions", "else", "then"})
_IDENTIFIERS: Final = ("id", "$id", "$anchor", "$dynamicAnchor")


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft: the library's validator class and specification, and the names of its formats."""

    library_class: Any
    specification: Specification[Schema]
    formats: frozenset[str]
    # Keywords about the content of a string were assertions in these drafts, but not in later ones.
    asserts_content: bool

    def has(self, keyword: str) -> bool:
        """Tell whether the keyword has a meaning in this draft."""
        return keyword in self.library_class.VALIDATORS or keyword in _WITHOUT_FUNCTION


def subschemas(schema: Any, draft: Draft) -> Iterator[Schema]:
    """Yield the schemas directly inside `schema`, whose form need not be checked yet."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if not draft.has(keyword):
            continue
        if keyword in _SCHEMA_VALUES and isinstance(value, dict | bool):
            yield value
        elif keyword in _SCHEMA_LISTS and isinstance(value, list):
            yield from (each for each in value if isinstance(each, dict | bool))
        elif keyword in _SCHEMA_MEMBERS and isinstance(value, dict):
            yield from (each for each in value.values() if isinstance(each, dict | bool))


def _draft(
    library_class: Any,
    library: Specification[Schema],
    formats: frozenset[str],
    *,
    asserts_content: bool = False,
) -> Draft:
    """Make a draft whose specification does not fail on any schema, unlike that of the library."""
    draft = Draft(library_class, library, formats, asserts_content)
    specification: Any = Specification
    return replace(
        draft,
        specification=specification(
            name=library.name,
            id_of=lambda schema: library.id_of(schema) if _is_identified(schema) else None,
            anchors_in=lambda _, schema: library.anchors_in(schema) if _is_identified(schema) else (),
            subresources_of=lambda schema: subschemas(schema, draft),
            maybe_in_subresource=library.maybe_in_subresource,
        ),
    )


def _is_identified(schema: Any) -> bool:
    """Tell whether `schema` is an object whose identifiers are strings."""
    return isinstance(schema, dict) and all(isinstance(schema.get(name, ""), str) for name in _IDENTIFIERS)


_FORMATS_4: Final = frozenset(
    {"date", "date-time", "email", "hostname", "idn-email", "ipv4", "ipv6", "regex", "time", "uri"}
)
_FORMATS_6: Final = _FORMATS_4 | {"json-pointer", "uri-reference", "uri-template"}
_FORMATS_7: Final = frozenset(FORMATS) - {"duration", "uuid"}

DRAFTS: Final[Mapping[str, Draft]] = {
    "http://json-schema.org/draft-04/schema": _draft(validators.Draft4Validator, DRAFT4, _FORMATS_4),
    "http://json-schema.org/draft-06/schema": _draft(
        validators.Draft6Validator, DRAFT6, _FORMATS_6, asserts_content=True
    ),
    "http://json-schema.org/draft-07/schema": _draft(
        validators.Draft7Validator, DRAFT7, _FORMATS_7, asserts_content=True
    ),
    "https://json-schema.org/draft/2019-09/schema": _draft(
        validators.Draft201909Validator, DRAFT201909, frozenset(FORMATS)
    ),
    "https://json-schema.org/draft/2020-12/schema": _draft(
        validators.Draft202012Validator, DRAFT202012, frozenset(FORMATS)
    ),
}
DEFAULT_DRAFT: Final = DRAFTS["http://json-schema.org/draft-07/schema"]


def draft_of(schema: Schema) -> Draft:
    """Return the draft that a schema names, or draft 7."""
    named = schema.get("$schema") if isinstance(schema, dict) else None
    return DRAFTS.get(named.rstrip("#"), DEFAULT_DRAFT) if isinstance(named, str) else DEFAULT_DRAFT
