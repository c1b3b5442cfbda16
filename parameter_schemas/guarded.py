"""The validator classes of the library, changed so that they are safe for untrusted schemas."""

from functools import lru_cache
from typing import Any

import attrs
from jsonschema import validators
from referencing.jsonschema import SchemaResource

from parameter_schemas.drafts import Draft
from parameter_schemas.keywords import CONTENT_KEYWORDS, OWN_KEYWORDS, format_of, spending


@lru_cache(maxsize=16)
def guarded_class(draft: Draft, *, checks_content: bool = True) -> Any:
    """Return the validator class of a draft, with keywords that spend from the budget.

    Without `checks_content`, formats and encodings of strings are ignored.
    """
    library_class = draft.library_class
    keywords = {**library_class.VALIDATORS}
    keywords.update((name, own) for name, own in OWN_KEYWORDS.items() if name in keywords)
    keywords["format"] = format_of(draft.formats if checks_content else frozenset())
    if draft.asserts_content and checks_content:
        keywords.update(CONTENT_KEYWORDS)
    guarded: Any = validators.extend(  # type: ignore[no-untyped-call]  # as the library has it
        library_class, {name: spending(keyword) for name, keyword in keywords.items()}
    )
    fields = [(each.name, each.alias) for each in attrs.fields(guarded) if each.init]

    def evolve(validator: Any, **changes: Any) -> Any:
        # The library's own method changes to a class without guards if a subschema names a draft, and it ignores the
        # effect of the subschema's `$id` on references.
        if "schema" in changes and "_resolver" not in changes:
            resource: SchemaResource = draft.specification.create_resource(changes["schema"])
            changes["_resolver"] = validator._resolver.in_subresource(resource)
        for name, alias in fields:
            if alias not in changes:
                changes[alias] = getattr(validator, name)
        return guarded(**changes)

    guarded.evolve = evolve
    return guarded
