"""JSON Schemas of template parameters: checking a schema, and parameters against one.

The schema is not trusted, because any generator may send one. References may lead out of the document only to the
meta-schemas that are part of the library, patterns are searched for in limited time, and every keyword spends from a
budget.
"""

import json
from functools import lru_cache
from typing import cast

from jsonschema.protocols import Validator
from referencing.exceptions import Unresolvable
from referencing.jsonschema import Schema

from parameter_schemas.budget import within_budget
from parameter_schemas.drafts import draft_of
from parameter_schemas.guarded import guarded_class
from parameter_schemas.inspection import Inspection, InvalidSchema, message_of
from parameter_schemas.keywords import refuse_constant, size
from tera.errors import Failure, OverBudget
from tera.values import Value, plain_value

MAX_SCHEMA_CHARACTERS = 256 * 1024
MAX_SCHEMA_VALUES = 10_000
MAX_SCHEMA_DEPTH = 64
MAX_PARAMETER_DEPTH = 64
MAX_VIOLATIONS = 1_000


def check_schema(text: str) -> None:
    """Return if `text` is a JSON Schema that is valid for its draft and complete.

    Raises InvalidSchema otherwise, also for patterns that cannot be searched for in limited time.
    """
    _prepared(text)


def violations(schema_text: str, parameters: object) -> list[str]:
    """Return the mistakes in `parameters`, each as `"<json-pointer>: <text>"`, or `"<text>"` for the root.

    Raises InvalidSchema if `check_schema` does not accept `schema_text`.
    """
    validator = _prepared(schema_text)
    try:
        instance = plain_value(parameters)
        if _depth(instance) > MAX_PARAMETER_DEPTH:
            return [f"The parameters are nested deeper than {MAX_PARAMETER_DEPTH} levels."]
        return within_budget(lambda: _messages(validator, instance))
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
        found.append(message_of(error))
    return found


@lru_cache(maxsize=64)
def _prepared(text: str) -> Validator:
    """Check the schema completely, and return a validator for it."""
    schema = parsed_schema(text)
    draft = draft_of(schema)
    try:
        resolver = within_budget(lambda: Inspection(draft).resolver_of(schema))
    except RecursionError:
        raise InvalidSchema("The schema is nested too deeply.") from None
    except Failure as failure:
        raise InvalidSchema(failure.message) from None
    validator: Validator = guarded_class(draft)(schema, _resolver=resolver)
    return validator


def parsed_schema(text: str) -> Schema:
    """Return the JSON of a text that may be a schema, before the check of its form. Raises InvalidSchema."""
    if len(text) > MAX_SCHEMA_CHARACTERS:
        raise InvalidSchema(f"The schema is longer than {MAX_SCHEMA_CHARACTERS} characters.")
    try:
        schema = plain_value(json.loads(text, parse_constant=refuse_constant, parse_int=_integer))
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
    if size(schema) > MAX_SCHEMA_VALUES:
        raise InvalidSchema(f"The schema holds more than {MAX_SCHEMA_VALUES} values.")
    return cast("Schema", schema)


def _integer(digits: str) -> int | float:
    # Longer numbers are out of the range of integers in any case, and slow to read.
    return int(digits) if len(digits) <= 20 else float(digits)


def _depth(value: Value) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, members), default=0)
