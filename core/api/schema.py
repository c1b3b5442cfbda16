"""What the OpenAPI document says beyond what the views say themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.serializers import BaseSerializer

from core.api.pagination import ListQuery
from core.labels.api.serializers import AnnotationBody

_ERRORS = {
    400: ("BadRequest", "The request breaks a rule; `code` says which."),
    401: ("Unauthorized", "No valid key was sent."),
    403: ("Forbidden", "The key may not do this; `code` says why."),
    404: ("NotFound", "What the path names does not exist."),
    405: ("MethodNotAllowed", "The path does not take this method."),
    409: ("Conflict", "It exists already, or its state does not allow this."),
    412: ("PreconditionFailed", "`If-Match` names an older state."),
    413: ("PayloadTooLarge", "The body is larger than allowed."),
    415: ("UnsupportedMediaType", "The body is not of a type that is read here."),
    422: (
        "UnprocessableContent",
        "The body has the wrong shape, or refers to something that does not exist.",
    ),
    500: ("InternalError", "The broker failed; `details.request_id` finds the reason in its log."),
    503: ("Unavailable", "The database cannot be reached; see `Retry-After`."),
}
_METHODS = {"get", "post", "put", "patch", "delete"}


class BrokkrSchema(AutoSchema):
    """Adds to every operation what all of them share."""

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = list(super().get_override_parameters())
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        if handler is not None and getattr(handler, "is_idempotent", False):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    description="Repeat the request with the same key within 24 hours to get the first answer again.",
                )
            )
        return parameters


class TextExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": ["string", "null"] if self.target.allow_null else "string"}
        schema |= self.target.rule
        return schema


def add_shared_responses(
    result: dict[str, Any],
    generator: Any,
    request: Any,
    public: bool,  # noqa: FBT001  # spectacular passes it by position
) -> dict[str, Any]:  # spectacular's signature
    """Give every operation its error answers, in the one shape they all have."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR_SCHEMA
    components["responses"] = {
        name: {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for name, description in _ERRORS.values()
    }
    for path, operations in result["paths"].items():
        for method in _METHODS & operations.keys():
            operation = operations[method]
            for status in _statuses(path, method, operation):
                reference = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
                operation["responses"].setdefault(str(status), reference)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            if method == "get" and "304" not in operation["responses"] and _has_etag(operation):
                operation["responses"]["304"] = {"description": "`If-None-Match` names the current state."}
    return result


def _statuses(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    statuses = {400, 401, 403, 500, 503}
    if "{" in path or path.endswith("/agents/"):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {413, 415, 422}
    if method == "post":
        statuses |= {409, 422, 413}
    if method == "put":
        statuses |= {409, 412}
    if method == "delete":
        statuses.add(412)
    return statuses


def _has_etag(operation: dict[str, Any]) -> bool:
    schemas = [
        media.get("schema", {}) for media in operation["responses"].get("200", {}).get("content", {}).values()
    ]
    return any("$ref" in schema for schema in schemas)


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
    "example": {
        "error": "There is no such stack.",
        "code": "stack_not_found",
        "message": "There is no such stack.",
        "details": {"id": "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"},
    },
}


def label_operations(
    noun: str, label: type[BaseSerializer[Any]], annotation: type[BaseSerializer[Any]]
) -> dict[str, Any]:
    """The descriptions of the six label and annotation operations of one resource."""
    tags = [f"{noun}s"]
    label_body = {
        "oneOf": [
            {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[^\s\u0000]+$"},
            {
                "type": "object",
                "required": ["label"],
                "properties": {
                    "label": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[^\s\u0000]+$"}
                },
            },
        ],
        "example": "env:prod",
    }
    return {
        "labels": extend_schema(
            operation_id=f"{noun}s_list_labels",
            tags=tags,
            summary=f"List the labels of one of the {noun}s",
            parameters=[ListQuery],
            responses=label(many=True),
        ),
        "add_label": extend_schema(
            operation_id=f"{noun}s_add_label",
            tags=tags,
            summary=f"Put a label on one of the {noun}s",
            description="The body is the label itself as a JSON string, or an object with `label`.",
            request={"application/json": label_body},
            responses={201: label},
        ),
        "remove_label": extend_schema(
            operation_id=f"{noun}s_remove_label",
            tags=tags,
            summary=f"Take a label off one of the {noun}s",
            responses={204: None},
        ),
        "annotations": extend_schema(
            operation_id=f"{noun}s_list_annotations",
            tags=tags,
            summary=f"List the annotations of one of the {noun}s",
            parameters=[ListQuery],
            responses=annotation(many=True),
        ),
        "add_annotation": extend_schema(
            operation_id=f"{noun}s_add_annotation",
            tags=tags,
            summary=f"Put an annotation on one of the {noun}s",
            request=AnnotationBody,
            responses={201: annotation},
        ),
        "remove_annotation": extend_schema(
            operation_id=f"{noun}s_remove_annotation",
            tags=tags,
            summary=f"Take an annotation off one of the {noun}s",
            responses={204: None},
        ),
    }
