"""The document as a whole: what every operation has, added once spectacular has read the views."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from core.api.fields import parse_uuid
from core.api.openapi.error_answers import ERROR_SCHEMA, add_error_answers, error_components
from core.api.openapi.headers import HEADERS, IF_MATCH, IF_NONE_MATCH, header
from core.api.openapi.probes import HEALTH_SCHEMA, probe_operations
from core.errors import DomainError
from core.labels.api.operations import LABEL_SCHEMAS

_Document = dict[str, Any]
# What spectacular makes of the null of a field with choices.
_NULL_COMPONENT = "#/components/schemas/NullEnum"
_METHODS = {"get", "post", "put", "patch", "delete"}


def complete(
    document: _Document,
    *,
    examples: Mapping[int, DomainError],
    id_sources: Mapping[str, str],
    metrics: str,
    tagged: Collection[str],
) -> _Document:
    """Give every operation its error answers, its headers and its descriptions; add the public operations.

    `examples` maps a status to the refusal that its shared answer shows, `id_sources` the name of a field with an id
    to where a caller finds such ids; `metrics` is what a scrape may look like. `tagged` are the operations that answer
    an ETag although they do not answer one thing with an id.
    """
    document = _for_tools(document)
    components = document.setdefault("components", {})
    components["schemas"] |= {"Error": ERROR_SCHEMA, "Health": HEALTH_SCHEMA} | LABEL_SCHEMAS
    components["headers"] = HEADERS
    components["responses"] = error_components(examples)
    for path in document["paths"].values():
        is_resource = "get" in path and _is_resource(path["get"], components["schemas"])
        for method in _METHODS & path.keys():
            operation = path[method]
            if is_resource or operation["operationId"] in tagged:
                _add_conditions(method, operation)
            _describe_success(method, operation)
            _describe_ids(operation, id_sources)
            add_error_answers(method, operation)
    document["paths"] |= probe_operations(metrics)
    return document


def _for_tools(node: Any) -> Any:
    """The same without what tools that write clients cannot read.

    Of the component that stands for null in choices they make a class. A default beside `oneOf` they write as a value
    of one type where another is declared.
    """
    if isinstance(node, dict):
        if node.get("$ref") == _NULL_COMPONENT:
            return {"type": "null"}
        return {
            name: _for_tools(member)
            for name, member in node.items()
            if (name, member) != ("NullEnum", {"type": "null"})
            and not (name == "default" and "oneOf" in node)
        }
    return [_for_tools(member) for member in node] if isinstance(node, list) else node


def _is_resource(operation: _Document, schemas: _Document) -> bool:
    """Whether a GET answers one thing with an id; those carry an ETag, and changes to them take If-Match."""
    content = operation["responses"]["200"]["content"].get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return bool("id" in schemas.get(name, {}).get("properties", {}))


def _add_conditions(method: str, operation: _Document) -> None:
    parameters = operation.setdefault("parameters", [])
    if method == "get":
        parameters.append(IF_NONE_MATCH)
        operation["responses"]["200"].setdefault("headers", {}).update(header("ETag"))
        operation["responses"]["304"] = {
            "description": "`If-None-Match` names the current state.",
            "headers": header("ETag"),
        }
    elif method in {"put", "delete"}:
        parameters.append(IF_MATCH)


def _describe_success(method: str, operation: _Document) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    for status, response in operation["responses"].items():
        if status == "204":
            response["description"] = "Done; there is nothing more to say."
        elif not response["description"]:
            response["description"] = {"post": "What came of it.", "put": "The new state."}.get(
                method, "The current state."
            )
        if status == "200" and {"limit", "cursor"} <= names:
            response["description"] = "All matches, or one page of them."
            response.setdefault("headers", {}).update(header("Link") | header("X-Total-Count"))
        if status == "201" and "Idempotency-Key" in names:
            response.setdefault("headers", {}).update(header("Idempotency-Replayed"))


def _describe_ids(operation: _Document, sources: Mapping[str, str]) -> None:
    """Say of every example of a request which ids in it have to be replaced, since no broker knows them."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for example in media.get("examples", {}).values():
            # Once each, in their order.
            names = dict.fromkeys(_fields_with_ids(example["value"]))
            if names:
                replacements = "; ".join(
                    f"`{name}`: {sources.get(name, 'an id it gave you')}" for name in names
                )
                example["description"] = (
                    f"No broker knows the ids of this example. Put yours there: {replacements}."
                )


def _fields_with_ids(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _fields_with_ids(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and parse_uuid(member):
                yield name
            yield from _fields_with_ids(member)
