"""Our OpenAPI document, which is of version 3.1, in version 3.0 for tools that read no other.

Such tools often know one kind of body and one kind of success for an operation. So where JSON is offered beside another
kind, JSON alone is named; and where two successes have bodies of different shapes, both are said to have either.

`python -m core.api.openapi.version_3_0 SOURCE TARGET` writes the file TARGET from the file SOURCE.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

_Document = dict[str, Any]

VERSION = "3.0.3"
_JSON = "application/json"
# Of 3.1's keywords these alone are dropped: they narrow what fits, and 3.0 has no word for them.
_DROPPED = {"propertyNames"}
# What a schema of 3.0 may say.
_KEYWORDS = {
    *(
        "$ref",
        "type",
        "enum",
        "nullable",
        "format",
        "title",
        "description",
        "default",
        "example",
        "deprecated",
    ),
    *("allOf", "oneOf", "anyOf", "not", "discriminator", "readOnly", "writeOnly", "externalDocs", "xml"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "minItems", "maxItems", "uniqueItems"),
    *("minLength", "maxLength", "pattern", "minimum", "maximum", "multipleOf"),
    *("exclusiveMinimum", "exclusiveMaximum"),
}
_NULL = {"type": "null"}
_LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def to_3_0(document: _Document) -> _Document:
    """The same operations and names in OpenAPI 3.0.

    Raises ValueError for a schema that 3.0 cannot say.
    """
    made: _Document = _outside_schemas(document)
    made["openapi"] = VERSION
    schemas = made.get("components", {}).get("schemas", {})
    for item in made.get("paths", {}).values():
        for operation in item.values():
            _name_json_alone(operation.get("requestBody", {}))
            for response in operation["responses"].values():
                _name_json_alone(response)
            _give_successes_one_shape(operation, schemas)
    # Only 3.1 has the licence's identifier.
    made.get("info", {}).get("license", {}).pop("identifier", None)
    return made


def _name_json_alone(body: _Document) -> None:
    content = body.get("content", {})
    if content:
        kept = _JSON if _JSON in content else next(iter(content))
        body["content"] = {kept: content[kept]}


def _give_successes_one_shape(operation: _Document, schemas: _Document) -> None:
    bodies = [
        response["content"][_JSON]
        for status, response in operation["responses"].items()
        if status.startswith("2") and _JSON in response.get("content", {})
    ]
    shapes = [body.get("schema") for body in bodies]
    if all(shape == shapes[0] for shape in shapes):
        return
    name = "".join(word.title() for word in operation["operationId"].split("_")) + "Answer"
    schemas[name] = {"oneOf": shapes}
    for body in bodies:
        body["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _outside_schemas(node: Any, parent: str = "") -> Any:
    """Everything as it is, but for the schemas in it."""
    if isinstance(node, list):
        return [_outside_schemas(member) for member in node]
    if not isinstance(node, dict):
        return node
    if parent == "schemas":
        return {name: _schema(schema) for name, schema in node.items()}
    return {
        name: _schema(member)
        if name == "schema"
        else member
        if _is_value(name)
        else _outside_schemas(member, name)
        for name, member in node.items()
    }


def _is_value(name: str) -> bool:
    """Whether the member of this name holds values of the API and not parts of the document."""
    return name in {"example", "examples"}


def _schema(schema: _Document) -> _Document:
    made = _nullable(_in_words_of_3_0(schema))
    unknown = made.keys() - _KEYWORDS
    if unknown:
        raise ValueError(f"OpenAPI 3.0 has no word for {', '.join(sorted(unknown))}")
    if made.get("type") == "array":
        made.setdefault("items", {})
    for name in made.keys() & {"allOf", "oneOf", "anyOf"}:
        made[name] = [_schema(member) for member in made[name]]
    for name in made.keys() & {"items", "not", "additionalProperties"}:
        # The last one may be a truth value.
        made[name] = _schema(made[name]) if isinstance(made[name], dict) else made[name]
    if "properties" in made:
        made["properties"] = {name: _schema(member) for name, member in made["properties"].items()}
    if "$ref" in made and len(made) > 1:
        # Beside a reference 3.0 reads nothing.
        made = {"allOf": [{"$ref": made.pop("$ref")}]} | made
    return made


def _in_words_of_3_0(schema: _Document) -> _Document:
    """The keywords that 3.0 has under another name, or not at all."""
    made = {name: value for name, value in schema.items() if name not in _DROPPED}
    if "examples" in made:
        made["example"] = made.pop("examples")[0]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    for name, limit in _LIMITS.items():
        if name in made:
            made |= {limit: made[name], name: True}
    return made


def _nullable(schema: _Document) -> _Document:
    """Null as a mark on the schema, where 3.1 has it among the types."""
    if isinstance(schema.get("type"), list):
        names = [name for name in schema["type"] if name != "null"]
        if len(names) != 1:
            raise ValueError(f"OpenAPI 3.0 knows no type that is any of {', '.join(names)}")
        return schema | {"type": names[0]} | ({"nullable": True} if len(names) < len(schema["type"]) else {})
    if schema.get("type") == "null":
        raise ValueError("OpenAPI 3.0 has no type that is null alone")
    for name in ("oneOf", "anyOf"):
        if _NULL in schema.get(name, []):
            others = [member for member in schema[name] if member != _NULL]
            # A single one as `allOf`, which is what tools read as this schema or null.
            key = "allOf" if len(others) == 1 else name
            rest = {word: value for word, value in schema.items() if word != name}
            return {key: others} | rest | {"nullable": True}
    return schema


class _Dumper(yaml.SafeDumper):
    """Writes as spectacular does: no aliases, and text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def main(source: str, target: str) -> None:
    """Write the file `target` from the file `source`."""
    document = yaml.load(Path(source).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    text = yaml.dump(
        to_3_0(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    Path(target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
