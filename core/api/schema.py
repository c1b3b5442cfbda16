"""What the OpenAPI document says beyond what the views say themselves."""

from typing import Any, cast

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.serializers import BaseSerializer

from core import errors
from core.api.errors import RETRY_AFTER_SECONDS, error_body, error_headers
from core.api.fields import LABEL_RULE, QueryText, Text
from core.api.pagination import ListQuery
from core.labels.api.serializers import AnnotationBody

_Document = dict[str, Any]

_EXAMPLE_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"


# The answers that operations share, each with one of its refusals as an example.
_ERRORS: dict[int, tuple[str, str, errors.DomainError]] = {
    400: (
        "BadRequest",
        "The request breaks a rule; `code` says which.",
        errors.InvalidPath("'7' in the path is not a UUID.", name="stack_id"),
    ),
    401: ("Unauthorized", "No valid key was sent.", errors.Unauthorized()),
    403: ("Forbidden", "The key may not do this; `code` says why.", errors.PermissionRefused()),
    404: (
        "NotFound",
        "What the path names does not exist.",
        errors.RouteNotFound("There is no such stack.", id=_EXAMPLE_ID),
    ),
    409: (
        "Conflict",
        "It exists already, or its state does not allow this.",
        errors.UniqueViolation(constraint="unique_stack_name"),
    ),
    412: ("PreconditionFailed", "`If-Match` names an older state.", errors.PreconditionFailed()),
    413: (
        "PayloadTooLarge",
        "The body is larger than allowed.",
        errors.PayloadTooLarge(limit_bytes=2 * 1024 * 1024),
    ),
    414: (
        "UriTooLong",
        "The path and query are longer than 4094 bytes.",
        errors.BadRequest("The request line is too long."),
    ),
    415: (
        "UnsupportedMediaType",
        "The body is not of a type or encoding that is read here.",
        errors.UnsupportedMediaType(),
    ),
    422: (
        "UnprocessableContent",
        "The body has the wrong shape, or refers to something that does not exist.",
        errors.InvalidRequestBody(
            "Wrong field: name (This field is required).", fields={"name": ["This field is required."]}
        ),
    ),
    429: (
        "RateLimited",
        "The key has made too many requests, where the broker is set up with a limit.",
        errors.RateLimited(retry_after_seconds=1),
    ),
    500: (
        "InternalError",
        "The broker failed; `details.request_id` finds the reason in its log.",
        errors.InternalError(request_id="0193f0c10000700080000000000000aa"),
    ),
    503: (
        "Unavailable",
        "The database cannot be reached; the request may be repeated after `Retry-After` seconds.",
        errors.DatabaseUnavailable(),
    ),
}
# What the HTTP server refuses has not become a request with an id.
_REFUSED_UNREAD = {414}
_METHODS = {"get", "post", "put", "patch", "delete"}


class BrokkrSchema(AutoSchema):
    """Adds to every operation what all of them share."""

    view: Any

    def get_description(self) -> str:  # type: ignore[override]  # spectacular's own signature, not DRF's
        # Not the view's own docstring: that one is for readers of the code.
        return str(get_doc(getattr(self.view, self.view.action)))

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = list(super().get_override_parameters())
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        if handler is not None and getattr(handler, "is_idempotent", False):
            parameters.append(_IDEMPOTENCY_KEY)
        return parameters

    def _resolve_path_parameters(self, variables: list[str]) -> list[_Document]:
        return [
            {
                "in": "path",
                "name": name,
                "required": True,
                "schema": {"type": "string", "format": "uuid"}
                if name.endswith("_id")
                else {"type": "string"} | LABEL_RULE,
                "description": f"The {name.removesuffix('_id')}'s id."
                if name.endswith("_id")
                else f"The {name} to take off, percent-encoded.",
            }
            for name in variables
        ]

    def _get_request_body(self, direction: str = "request") -> _Document | None:
        optional = self.view.action in self.view.optional_body
        method = self.method
        if optional and method == "DELETE":
            # Spectacular knows no DELETE with a body, and one operation has one.
            self.method = "POST"
        body: _Document | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        self.method = method
        if body is not None:
            body["required"] = not optional
        return body

    def _get_serializer_name(self, *arguments: Any, **options: Any) -> str:
        # Bodies are named as bodies; a second suffix says nothing.
        name = str(super()._get_serializer_name(*arguments, **options))
        return name.removesuffix("Request") if name.endswith("BodyRequest") else name

    def _insert_field_validators(self, field: Any, schema: _Document) -> None:
        # A rule of ours is complete; spectacular would allow the empty string beside every pattern.
        if not isinstance(field, Text | QueryText):
            super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]


class TextExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> _Document:
        rule: _Document = self.target.rule
        return {"type": "string"} | rule


class QueryTextExtension(TextExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.QueryText"


class WholeNumberExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.WholeNumber"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> _Document:
        rule: _Document = self.target.rule
        return {"type": "integer"} | rule


class LabelMapExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.LabelMap"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> _Document:
        word = {"type": "string"} | LABEL_RULE
        return {"type": "object", "additionalProperties": word, "propertyNames": word}


class QueryFlagExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.QueryFlag"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> _Document:
        return {"type": "boolean"}


_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    cast(Any, {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}),
    OpenApiParameter.HEADER,
    description="Repeat the request with the same key within 24 hours to get the first answer again.",
)
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the state you have; 304 when it is still the current one.",
}
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of the state you read; 412 when it is no longer the current one.",
}
_HEADERS: dict[str, _Document] = {
    "ETag": {
        "description": "A strong tag of this state.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Link": {
        "description": 'The next page, as `<URL>; rel="next"`. Absent on the last page and on complete lists.',
        "schema": {"type": "string"},
    },
    "X-Total-Count": {
        "description": "The number of all matches, when `count=true` was asked for.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Idempotency-Replayed": {
        "description": "`true` when this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string"},
        "example": error_headers(errors.Unauthorized())["WWW-Authenticate"],
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": RETRY_AFTER_SECONDS,
    },
    "X-Request-Id": {
        "description": "The id that finds this request in the broker's log; the client's own if it sent one.",
        "required": True,
        "schema": {"type": "string"},
    },
}


# The bytes themselves. A schema of YAML without `binary` would describe the value that the text spells.
YAML: Any = {"type": "string", "format": "binary", "description": "One or more YAML documents in UTF-8."}


def _header(name: str) -> _Document:
    return {name: {"$ref": f"#/components/headers/{name}"}}


def complete(
    result: _Document,
    generator: Any,
    request: Any,
    public: bool,  # noqa: FBT001  # spectacular passes it by position
) -> _Document:
    """Give every operation its error answers, its headers and its descriptions; add the public operations."""
    components = result.setdefault("components", {})
    components["schemas"] |= {"Error": _ERROR_SCHEMA, "Health": _HEALTH_SCHEMA, "LabelBody": _LABEL_SCHEMA}
    components["headers"] = _HEADERS
    components["responses"] = {
        name: _error_answer(description, example, has_id=status not in _REFUSED_UNREAD)
        for status, (name, description, example) in _ERRORS.items()
    }
    # The codes of missing rows belong to the apps above.
    components["responses"]["NotFound"]["content"]["application/json"]["example"]["code"] = "stack_not_found"
    for path in result["paths"].values():
        tagged = "get" in path and _is_tagged(path["get"], components["schemas"])
        for method in _METHODS & path.keys():
            operation = path[method]
            if tagged:
                _add_conditions(method, operation)
            _describe_success(method, operation)
            for status in _statuses(method, operation):
                reference = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
                operation["responses"].setdefault(str(status), reference)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    result["paths"] |= _PUBLIC
    return result


def _error_answer(description: str, example: errors.DomainError, *, has_id: bool) -> _Document:
    headers = _header("X-Request-Id") if has_id else {}
    for name in error_headers(example):
        headers |= _header(name)
    return {
        "description": description,
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": error_body(example),
            }
        },
    }


def _is_tagged(operation: _Document, schemas: _Document) -> bool:
    """Whether a GET answers one thing with an id; those carry an ETag, and changes to them take If-Match."""
    content = operation["responses"]["200"]["content"]["application/json"]["schema"]
    name = content.get("$ref", "").rpartition("/")[2]
    return bool("id" in schemas.get(name, {}).get("properties", {}))


def _add_conditions(method: str, operation: _Document) -> None:
    parameters = operation.setdefault("parameters", [])
    if method == "get":
        parameters.append(_IF_NONE_MATCH)
        operation["responses"]["200"].setdefault("headers", {}).update(_header("ETag"))
        operation["responses"]["304"] = {
            "description": "`If-None-Match` names the current state.",
            "headers": _header("ETag"),
        }
    elif method in {"put", "delete"}:
        parameters.append(_IF_MATCH)


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
            response.setdefault("headers", {}).update(_header("Link") | _header("X-Total-Count"))
        if status == "201" and "Idempotency-Key" in names:
            response.setdefault("headers", {}).update(_header("Idempotency-Replayed"))


def _statuses(method: str, operation: _Document) -> set[int]:
    statuses = {400, 401, 403, 414, 429, 500, 503}
    parameters = operation.get("parameters", [])
    looks_something_up = any(parameter["in"] == "path" for parameter in parameters)
    if method == "post" and looks_something_up:
        # What happens to a thing may not fit its state, also when nothing is sent.
        statuses.add(409)
    if looks_something_up or operation["operationId"].startswith("search_"):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {413, 415, 422}
        if method != "delete":
            statuses.add(409)
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        statuses.add(412)
    return statuses


_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error", "code", "message"],
    "properties": {
        "error": {
            "type": "string",
            "description": "The sentence of `message`, for clients of the first release.",
        },
        "code": {
            "type": "string",
            "description": "Stable; see the list of error codes.",
            "pattern": "^[a-z0-9_]+$",
        },
        "message": {"type": "string", "description": "A sentence a person can act on."},
        "details": {"type": "object", "additionalProperties": True},
    },
}


def _probe(
    operation_id: str, summary: str, description: str, answers: dict[str, tuple[str, str, Any]]
) -> _Document:
    """A public GET; `answers` maps a status to its description, media type and example."""
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "description": description,
            "tags": ["health"],
            "security": [],
            "responses": {
                status: {
                    "description": meaning,
                    "content": {media_type: {"schema": _schema_of(example), "example": example}},
                }
                for status, (meaning, media_type, example) in answers.items()
            },
        }
    }


_HEALTH_SCHEMA = {
    "type": "object",
    "required": ["status", "database"],
    "properties": {
        name: {"type": "string", "enum": ["ok", "unavailable"]} for name in ("status", "database")
    },
}
_LABEL_SCHEMA = {
    "type": "object",
    "required": ["label"],
    "properties": {"label": {"type": "string"} | LABEL_RULE},
}


def _schema_of(example: object) -> _Document:
    return {"$ref": "#/components/schemas/Health"} if isinstance(example, dict) else {"type": "string"}


_ALIVE = {"200": ("The process answers.", "text/plain", "OK")}
_READY = {
    "200": ("Requests can be served.", "text/plain", "Ready"),
    "503": ("The database cannot be reached.", "text/plain", "database unavailable"),
}
_LIVE_TEXT = "Says nothing about the database: a restart would not bring that back. Needs no key."
_READY_TEXT = "Asks the database. Needs no key."
_PUBLIC = {
    "/healthz": _probe("healthz", "Is the process alive", _LIVE_TEXT, _ALIVE),
    "/health/live": _probe("health_live", "Is the process alive", _LIVE_TEXT, _ALIVE),
    "/readyz": _probe("readyz", "Can the process serve", _READY_TEXT, _READY),
    "/health/ready": _probe("health_ready", "Can the process serve", _READY_TEXT, _READY),
    "/health": _probe(
        "health",
        "The state of the broker in one object",
        _READY_TEXT,
        {
            "200": ("All is well.", "application/json", {"status": "ok", "database": "ok"}),
            "503": (
                "The database cannot be reached.",
                "application/json",
                {"status": "unavailable", "database": "unavailable"},
            ),
        },
    ),
    "/metrics": _probe(
        "metrics",
        "Metrics for Prometheus",
        "Summed over the processes of this server, computed when asked for. Needs no key.",
        {
            "200": (
                "The text exposition format.",
                "text/plain",
                "# TYPE brokkr_stacks_total gauge\nbrokkr_stacks_total 3.0\n",
            ),
            "503": ("The database cannot be reached.", "text/plain", "database unavailable"),
        },
    ),
}


def label_operations(
    noun: str, label: type[BaseSerializer[Any]], annotation: type[BaseSerializer[Any]]
) -> dict[str, Any]:
    """The descriptions of the six label and annotation operations of one resource."""
    tags = [f"{noun}s"]
    label_body = {
        "oneOf": [{"type": "string"} | LABEL_RULE, {"$ref": "#/components/schemas/LabelBody"}],
    }
    return {
        "labels": extend_schema(
            operation_id=f"{noun}s_list_labels",
            tags=tags,
            summary=f"List the labels of one of the {noun}s",
            description="In alphabetical order.",
            parameters=[ListQuery],
            responses=label(many=True),
        ),
        "add_label": extend_schema(
            operation_id=f"{noun}s_add_label",
            tags=tags,
            summary=f"Put a label on one of the {noun}s",
            description="The body is the label itself as a JSON string, or an object with `label`. "
            "Agents and stacks that share a label find each other.",
            request={
                "application/json": OpenApiRequest(
                    label_body,
                    examples=[
                        OpenApiExample("The label", value="env:prod"),
                        OpenApiExample("In an object", value={"label": "env:prod"}),
                    ],
                )
            },
            responses={201: label},
        ),
        "remove_label": extend_schema(
            operation_id=f"{noun}s_remove_label",
            tags=tags,
            summary=f"Take a label off one of the {noun}s",
            description="A slash in the label is sent as `%2F`.",
            responses={204: None},
        ),
        "annotations": extend_schema(
            operation_id=f"{noun}s_list_annotations",
            tags=tags,
            summary=f"List the annotations of one of the {noun}s",
            description="In alphabetical order of their keys.",
            parameters=[ListQuery],
            responses=annotation(many=True),
        ),
        "add_annotation": extend_schema(
            operation_id=f"{noun}s_add_annotation",
            tags=tags,
            summary=f"Put an annotation on one of the {noun}s",
            description="One value for a key. Agents and stacks that share a key and its value find each other.",
            request=AnnotationBody,
            responses={201: annotation},
        ),
        "remove_annotation": extend_schema(
            operation_id=f"{noun}s_remove_annotation",
            tags=tags,
            summary=f"Take an annotation off one of the {noun}s",
            description="Its key is in the path; a slash in it is sent as `%2F`.",
            responses={204: None},
        ),
    }
