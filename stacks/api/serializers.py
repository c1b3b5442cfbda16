from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import FILLED_RULE, NAME_RULE, Flag, Id, QueryFlag, QueryText, Text
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from core.validators import MAX_REASON
from stacks.manifests import Finding
from stacks.models import DeploymentObject, Stack, StackAnnotation, StackLabel

_STACK = {
    "id": "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90",
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "deleted_at": None,
    "name": "payments-api",
    "description": "The public payments API",
    "generator_id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11",
}
_MANIFEST = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
MANIFEST_EXAMPLE = OpenApiExample("A manifest", value=_MANIFEST)
_OBJECT = {
    "id": "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4",
    "created_at": "2026-11-24T09:31:00.000000Z",
    "updated_at": "2026-11-24T09:31:00.000000Z",
    "deleted_at": None,
    "sequence_id": 42,
    "stack_id": _STACK["id"],
    "yaml_content": _MANIFEST,
    "yaml_checksum": "0d1b2fdb4c7ab5a0a1c6e63f1f0aa3b7a1d2d79c6a9c8be6f1a8e9bd0fdc1d5e",
    "submitted_at": "2026-11-24T09:31:00.000000Z",
    "is_deletion_marker": False,
}

_WARNING = {
    "code": "number_differs",
    "message": "Document 1, line 12: kubectl reads '0644' as the number 420, agents as text; write 420, or put it in "
    "quotes.",
    "document": 1,
    "line": 12,
}


@extend_schema_serializer(examples=[OpenApiExample("A stack", value=_STACK, response_only=True)])
class StackSerializer(RowSerializer[Stack]):
    generator_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Stack
        fields = ["id", "created_at", "updated_at", "deleted_at", "name", "description", "generator_id"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new stack",
            value={
                "name": "payments-api",
                "description": "The public payments API",
                "generator_id": _STACK["generator_id"],
            },
        )
    ]
)
class CreateStackBody(serializers.Serializer[Any]):
    name = Text(rule=NAME_RULE)
    description = Text(rule=FILLED_RULE, required=False, allow_null=True, default=None)
    generator_id = Id(
        required=False, help_text="The owner. A generator may leave it out; an admin must name it."
    )


@extend_schema_serializer(examples=[OpenApiExample("Rename", value={"name": "payments-gateway"})])
class UpdateStackBody(serializers.Serializer[Any]):
    """The whole stack or only what changes; read-only fields are not looked at."""

    id = Id(required=False, help_text="If present, must be the id in the path.")
    name = Text(rule=NAME_RULE, required=False)
    description = Text(rule=FILLED_RULE, required=False, allow_null=True)
    generator_id = Id(required=False, help_text="Only an admin may name another owner.")


class StackListQuery(ListQuery):
    name = QueryText(required=False, help_text="Only names that contain this, in any case.")
    label = QueryText(required=False, help_text="Only stacks that carry this label.")  # type: ignore[assignment]  # DRF fields have a `label` too
    pak_id = Id(required=False, help_text="Only stacks of this generator.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A label",
            value={
                "id": "0193f0a6-0000-7000-8000-000000000001",
                "stack_id": _STACK["id"],
                "label": "env:prod",
            },
            response_only=True,
        )
    ]
)
class StackLabelSerializer(RowSerializer[StackLabel]):
    stack_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = StackLabel
        fields = ["id", "stack_id", "label"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An annotation",
            value={
                "id": "0193f0a6-0000-7000-8000-000000000002",
                "stack_id": _STACK["id"],
                "key": "region",
                "value": "eu-west-1",
            },
            response_only=True,
        )
    ]
)
class StackAnnotationSerializer(RowSerializer[StackAnnotation]):
    stack_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = StackAnnotation
        fields = ["id", "stack_id", "key", "value"]
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A version", value=_OBJECT, response_only=True)])
class DeploymentObjectSerializer(RowSerializer[DeploymentObject]):
    stack_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = DeploymentObject
        fields = [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "sequence_id",
            "stack_id",
            "yaml_content",
            "yaml_checksum",
            "submitted_at",
            "is_deletion_marker",
        ]
        read_only_fields = fields


class PublishWarningSerializer(serializers.Serializer[Finding]):
    """Something that agents and kubectl read differently or, while manifests are lenient, that no agent can load; or
    what may keep the version from reaching all agents. The latter has no place in the manifest.
    """

    code = serializers.CharField(
        help_text="`docs/reference/manifests.md` explains each; there may be more in time."
    )
    message = serializers.CharField(help_text="A sentence. It begins with the place if there is one.")
    document = serializers.IntegerField(
        allow_null=True, help_text="The number of the document in the manifest, from 1."
    )
    line = serializers.IntegerField(allow_null=True, help_text="The line in the whole manifest, from 1.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("A new version", value={**_OBJECT, "warnings": [_WARNING]}, response_only=True),
    ]
)
class PublishedObjectSerializer(DeploymentObjectSerializer):
    """A version that was published just now, and what is to be said about its manifest and its way to the agents."""

    warnings = PublishWarningSerializer(many=True, read_only=True)

    class Meta(DeploymentObjectSerializer.Meta):
        fields = [*DeploymentObjectSerializer.Meta.fields, "warnings"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[OpenApiExample("A manifest", value={"yaml_content": _MANIFEST, "is_deletion_marker": False})]
)
class PublishBody(serializers.Serializer[Any]):
    yaml_content = Text(help_text="One or more YAML documents, stored as they are.")
    is_deletion_marker = Flag(
        required=False,
        default=False,
        help_text="Ask agents to remove what the stack deployed; the YAML may be empty.",
    )


class PublishOptionsQuery(serializers.Serializer[Any]):
    strategy = QueryText(
        required=False,
        help_text="The name or the id of the rollout strategy for this version, or `none`, in place of the stack's. "
        "Needs the right to bypass the stack's strategy, and `reason`.",
    )
    reason = QueryText(
        required=False, max_length=MAX_REASON, help_text="Why another strategy; goes into the audit log."
    )


class PublishQuery(PublishOptionsQuery):
    deletion_marker = QueryFlag(
        required=False,
        default=False,
        help_text="Ask agents to remove what the stack deployed; a YAML body may then be empty. A JSON body may "
        "say so itself.",
    )
    expand_lists = QueryFlag(
        required=False,
        default=False,
        help_text="Store each item of a `kind: List` as a document of its own; agents do not take lists apart.",
    )
