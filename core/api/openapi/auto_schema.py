"""How the views and our own fields become operations and schemas."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc

from core.api.fields import LABEL_RULE, QueryText, Text
from core.api.openapi.headers import IDEMPOTENCY_KEY, IF_PLAN

_Document = dict[str, Any]


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
            parameters.append(IDEMPOTENCY_KEY)
        if self.view.is_planned:
            parameters.append(IF_PLAN)
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
    match_subclasses = True

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
