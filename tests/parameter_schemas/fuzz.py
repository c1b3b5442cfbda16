"""Generates schemas and instances; whatever they are, a schema is refused or checks any instance.

Run from the root of the project: `python -m tests.parameter_schemas.fuzz [count] [seed]`.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from parameter_schemas import InvalidSchema, check_schema, violations
from parameter_schemas.drafts import DRAFTS
from parameter_schemas.formats import FORMATS
from templates_app.parameters import parameters_of, read

NAMES = ("a", "b", "c", "a/b", "x~y", "", "$ref", "$schema", "ä")
PATTERNS = (
    "^a",
    "a",
    "b",
    "ab|c",
    "[a-c]+",
    "^.$",
    "b$",
    "^(?!x)",
    "(a)\\1",
    "[\\w-.]",
    "{a}",
    "\\d+",
    "(?<=a)b",
    "(",
    "a**",
)
REFERENCES = (
    "#", "#", "#", "#", "#", "#", "#/definitions/a", "#/$defs/a", "#a", "#/definitions/b/items/0", "#/x-unknown",
    "x:y", "x:y#a", "other.json", "http://[x", "#/%", "#/dependencies/a", "",
    "http://json-schema.org/draft-07/schema#",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, -1, 0.5, 1.0, 1e308, 1e-308, 10**30, 2**63, -(2**63))
TEXTS = ("", "a", "b", "ab", "aa", "2024-01-01", "23:59:60Z", "e30=", "{", "{}", "(", "ä", "x" * 50)
TYPES = ("null", "boolean", "object", "array", "number", "string", "integer")
SCHEMA_VALUES = (
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "items", "prefixItems")
SCHEMA_MEMBERS = (
    "$defs", "definitions", "dependencies", "dependentSchemas", "dependentRequired", "patternProperties", "properties",
    "properties", "x-unknown",
)  # fmt: skip
COUNTS = (
    "maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties", "maxContains", "minContains",
)  # fmt: skip
LIMITS = ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum")

T = TypeVar("T")


class Generator:
    """Makes schemas that mostly have the form of some draft, and instances that mostly meet them somewhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (the same inputs every time)

    def schema(self) -> Any:
        """A whole schema, which mostly names its draft."""
        schema = self._schema(3)
        if isinstance(schema, dict) and self._random.random() < 0.9:
            schema = {"$schema": self._one(list(DRAFTS)), **schema}
        return schema

    def value(self, depth: int = 3) -> Any:
        """Any JSON value."""
        kind = self._random.randrange(8 if depth else 5)
        if kind == 0:
            return self._one((None, True, False))
        if kind in {1, 2}:
            return self._one(NUMBERS)
        if kind in {3, 4}:
            return self._one(TEXTS)
        if kind == 5:
            return [self.value(depth - 1) for _ in range(self._random.randrange(4))]
        return {self._one(NAMES): self.value(depth - 1) for _ in range(self._random.randrange(4))}

    def _one(self, choices: Sequence[T]) -> T:
        return choices[self._random.randrange(len(choices))]

    def _schema(self, depth: int) -> Any:
        if self._random.random() < 0.1:
            return self._random.random() < 0.5
        return dict(self._keyword(depth) for _ in range(self._random.randrange(1, 5)))

    def _keyword(self, depth: int) -> tuple[str, Any]:
        makers: list[Callable[[int], tuple[str, Any]]] = [self._plain, self._named, self._texts]
        if depth:
            makers += [self._with_schema, self._with_list, self._with_members] * 2
        name, value = self._one(makers)(depth)
        # Now and then a value that no draft allows there.
        return name, self.value(2) if self._random.random() < 0.01 else value

    def _plain(self, _depth: int) -> tuple[str, Any]:
        choices: list[tuple[str, Any]] = [
            ("type", self._one([self._one(TYPES), [self._one(TYPES)]])),
            ("enum", [self.value(2)]),
            ("const", self.value(2)),
            ("multipleOf", self._one((1, 0.01, 3, 1e-300, 1e308))),
            (self._one(COUNTS), self._one((0, 1, 2, 2.0, 1e30))),
            (self._one(LIMITS), self._one((*NUMBERS, True))),
            ("uniqueItems", self._random.random() < 0.5),
            ("required", sorted({self._one(NAMES), self._one(NAMES)})),
            ("default", self.value(2)),
            ("$recursiveAnchor", True),
            ("$vocabulary", {"x:y": True}),
        ]
        return self._one(choices)

    def _named(self, _depth: int) -> tuple[str, Any]:
        return self._one(
            [
                ("$ref", self._one(REFERENCES)),
                ("$dynamicRef", self._one(REFERENCES)),
                ("$recursiveRef", "#"),
                (self._one(("$id", "id")), self._one(REFERENCES)),
                (self._one(("$anchor", "$dynamicAnchor")), "a"),
                ("$schema", self._one([*DRAFTS, "x:y", "http://[x"])),
            ]
        )

    def _texts(self, _depth: int) -> tuple[str, Any]:
        return self._one(
            [
                ("format", self._one([*FORMATS, "unknown"])),
                ("pattern", self._one(PATTERNS)),
                ("contentEncoding", self._one(("base64", "other"))),
                ("contentMediaType", self._one(("application/json", "text/plain"))),
                ("title", self._one(TEXTS)),
                ("description", self._one(TEXTS)),
            ]
        )

    def _with_schema(self, depth: int) -> tuple[str, Any]:
        return self._one(SCHEMA_VALUES), self._schema(depth - 1)

    def _with_list(self, depth: int) -> tuple[str, Any]:
        name = self._one(SCHEMA_LISTS)
        return name, [self._schema(depth - 1) for _ in range(self._random.randrange(1, 3))]

    def _with_members(self, depth: int) -> tuple[str, Any]:
        name = self._one(SCHEMA_MEMBERS)
        members: dict[str, Any] = {}
        for _ in range(self._random.randrange(1, 4)):
            key = self._one(PATTERNS if name == "patternProperties" else NAMES)
            names = name == "dependentRequired" or (name == "dependencies" and self._random.random() < 0.5)
            members[key] = [self._one(NAMES)] if names else self._schema(depth - 1)
        return name, members


def outcome(schema: Any, instances: list[Any]) -> str:
    """What becomes of a schema: it is refused, or checks these instances. Any other exception leaves."""
    text = json.dumps(schema)
    # As the admin's form of the parameters does, also for what is no schema.
    read(parameters_of(text), {})
    try:
        check_schema(text)
    except InvalidSchema as refusal:
        return "not of its draft" if "is not valid: " in refusal.message else "refused"
    for instance in instances:
        violations(text, instance)
    return "checked"


def run(count: int, seed: int = 1) -> Counter[str]:
    """Count the outcomes of `count` schemas, each with three instances."""
    generator = Generator(seed)
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        schema = generator.schema()
        outcomes[outcome(schema, [generator.value() for _ in range(3)])] += 1
    return outcomes


if __name__ == "__main__":
    outcomes = run(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    )
    sys.stdout.write(f"{dict(outcomes)}\n")
