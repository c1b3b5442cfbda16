import json
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import FILLED_RULE, NAME_RULE, AnyJson, Id, QueryText, Text
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from core.errors import DomainError
from templates_app.models import RenderedObject, StackTemplate, TemplateAnnotation, TemplateLabel

_ID = "0193f0e1-7a00-7c11-8d22-1f2e3d4c5b6a"
_CONTENT = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ name }}\n"
_SCHEMA = '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}'
_TEMPLATE = {
    "id": _ID,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "deleted_at": None,
    "generator_id": None,
    "name": "namespace",
    "description": "One namespace",
    "version": 1,
    "template_content": _CONTENT,
    "parameters_schema": _SCHEMA,
    "checksum": "3f0d3cf1f7a0cf7bb3b4f6a3f44b1bf4e5d7a6f8b95a8f6f6e2fd1c9b0a4c7de",
}


@extend_schema_serializer(examples=[OpenApiExample("A version", value=_TEMPLATE, response_only=True)])
class TemplateSerializer(RowSerializer[StackTemplate]):
    generator_id = serializers.UUIDField(allow_null=True, read_only=True)

    class Meta:
        model = StackTemplate
        fields = [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "generator_id",
            "name",
            "description",
            "version",
            "template_content",
            "parameters_schema",
            "checksum",
        ]
        read_only_fields = fields


class TemplateVersionSerializer(RowSerializer[StackTemplate]):
    class Meta:
        model = StackTemplate
        fields = ["id", "version", "created_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "With its versions",
            value=_TEMPLATE
            | {"versions": [{"id": _ID, "version": 1, "created_at": "2026-11-24T09:30:00.000000Z"}]},
            response_only=True,
        )
    ]
)
class TemplateWithVersionsSerializer(TemplateSerializer):
    """A version, with all live versions of its name, newest first."""

    versions = serializers.SerializerMethodField()

    class Meta(TemplateSerializer.Meta):
        fields = [*TemplateSerializer.Meta.fields, "versions"]
        read_only_fields = fields

    @extend_schema_field(TemplateVersionSerializer(many=True))
    def get_versions(self, template: StackTemplate) -> Any:
        rows = StackTemplate.objects.active().versions_of(template.name, template.generator_id)
        return TemplateVersionSerializer(rows.order_by("-version"), many=True).data


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object"}, {"type": "boolean"}]})
class SchemaText(serializers.Field[str, Any, str, Any]):
    """A JSON Schema, as JSON text or as the JSON value itself."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str):
            return data
        if isinstance(data, dict | bool):
            return json.dumps(data, ensure_ascii=False)
        raise serializers.ValidationError("must be a JSON Schema, as text or as a JSON object")

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new template",
            value={"name": "namespace", "template_content": _CONTENT, "parameters_schema": _SCHEMA},
        )
    ]
)
class CreateTemplateBody(serializers.Serializer[Any]):
    name = Text(rule=NAME_RULE)
    description = Text(rule=FILLED_RULE, required=False, allow_null=True, default=None)
    template_content = Text(rule=FILLED_RULE, help_text="In the Tera dialect.")
    parameters_schema = SchemaText()


@extend_schema_serializer(
    examples=[
        OpenApiExample("A new version", value={"template_content": _CONTENT, "parameters_schema": _SCHEMA})
    ]
)
class UpdateTemplateBody(serializers.Serializer[Any]):
    """The whole template or only what a new version needs; the name stays."""

    id = Id(required=False, help_text="If present, must be the id in the path.")
    description = Text(
        rule=FILLED_RULE,
        required=False,
        allow_null=True,
        default=None,
        help_text="Left out, it is inherited.",
    )
    template_content = Text(rule=FILLED_RULE)
    parameters_schema = SchemaText()


class TemplateListQuery(ListQuery):
    name = QueryText(required=False, help_text="Only names that contain this, in any case.")
    label = QueryText(required=False, help_text="Only templates with this label.")  # type: ignore[assignment]  # DRF fields have a `label` too


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A label",
            value={
                "id": "0193f0e2-0000-7000-8000-000000000001",
                "template_id": _ID,
                "label": "env:prod",
                "created_at": "2026-11-24T09:30:00.000000Z",
            },
            response_only=True,
        )
    ]
)
class TemplateLabelSerializer(RowSerializer[TemplateLabel]):
    template_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = TemplateLabel
        fields = ["id", "template_id", "label", "created_at"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An annotation",
            value={
                "id": "0193f0e2-0000-7000-8000-000000000002",
                "template_id": _ID,
                "key": "tier",
                "value": "web",
                "created_at": "2026-11-24T09:30:00.000000Z",
            },
            response_only=True,
        )
    ]
)
class TemplateAnnotationSerializer(RowSerializer[TemplateAnnotation]):
    template_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = TemplateAnnotation
        fields = ["id", "template_id", "key", "value", "created_at"]
        read_only_fields = fields


_PARAMETERS = "Any JSON value, null included. The members of an object become the template's variables."


@extend_schema_serializer(
    examples=[OpenApiExample("Instantiate", value={"template_id": _ID, "parameters": {"name": "payments"}})]
)
class InstantiateBody(serializers.Serializer[Any]):
    template_id = Id(help_text="One version of a template.")
    parameters = AnyJson(help_text=_PARAMETERS)


@extend_schema_serializer(examples=[OpenApiExample("Preview", value={"parameters": {"name": "payments"}})])
class RenderBody(serializers.Serializer[Any]):
    parameters = AnyJson(help_text=_PARAMETERS)


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField(source="text")
    details = serializers.SerializerMethodField()

    def get_details(self, error: DomainError) -> dict[str, Any]:
        return dict(error.details)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "It renders",
            value={
                "text": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n",
                "errors": [],
            },
            response_only=True,
        )
    ]
)
class PreviewSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(
        allow_null=True, help_text="The rendered text, null when it does not render."
    )
    errors = ProblemSerializer(many=True, source="problems")  # type: ignore[assignment]  # the wire says `errors`


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "From a template",
            value={
                "deployment_object_id": "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4",
                "template_id": _ID,
                "template_name": "namespace",
                "template_version": 1,
                "parameters": {"name": "payments"},
                "created_at": "2026-11-24T09:31:00.000000Z",
            },
            response_only=True,
        )
    ]
)
class ProvenanceSerializer(RowSerializer[RenderedObject]):
    deployment_object_id = serializers.UUIDField(read_only=True)
    template_id = serializers.UUIDField(read_only=True)
    template_name = serializers.CharField(source="template.name", read_only=True)
    parameters = serializers.SerializerMethodField()

    class Meta:
        model = RenderedObject
        fields = [
            "deployment_object_id",
            "template_id",
            "template_name",
            "template_version",
            "parameters",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field({})
    def get_parameters(self, rendered: RenderedObject) -> Any:
        return json.loads(rendered.template_parameters)
