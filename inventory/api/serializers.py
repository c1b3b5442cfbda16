from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import QueryFlag, QueryText
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from inventory.models import UnreadVersion
from inventory.told_conflicts import ToldConflict

_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_OBJECT_ID = "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4"
_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_NAMES = {"group": "apps", "kind": "Deployment", "namespace": "payments", "name": "api"}
_RESOURCE = {
    **_NAMES,
    "api_version": "apps/v1",
    "image": "docker.io/library/nginx:1.27",
    "image_guessed": False,
    "stack_id": _STACK_ID,
    "stack_name": "payments-api",
    "stack_deleted": False,
    "deployment_object_id": _OBJECT_ID,
    "sequence_id": 42,
    "agents": {
        "should_have": 1,
        "have_said": 1,
        "first": [
            {
                "agent_id": _AGENT_ID,
                "name": "edge-01",
                "cluster_name": "frankfurt",
                "should_have": True,
                "has_said": True,
            }
        ],
    },
}
_OTHER_STACK = {"stack_id": "0193f0a4-2f00-7a53-9d0e-5a8c1f7b2e91", "name": "payments-legacy"}
_CONFLICT = {
    **_NAMES,
    "identical": False,
    "other_stacks": [_OTHER_STACK],
    "hidden_stacks": 0,
    "agent_count": 1,
    "agent_ids": [_AGENT_ID],
}
# How many agents of a conflict an answer names.
MAX_AGENTS = 100
_MATCHING = "Exactly this; with `*` at the end, all that begins so."


class ResourceQuery(ListQuery):
    kind = QueryText(required=False, help_text=f"The kind. {_MATCHING}")
    namespace = QueryText(required=False, help_text=f"The namespace as it is written. {_MATCHING}")
    name = QueryText(required=False, help_text=f"The name. {_MATCHING}")
    image = QueryText(
        required=False,
        help_text="The image: `nginx`, `ghcr.io/acme/web:1.2`, `nginx:1.*`, `ghcr.io/acme/*`, or the beginning of a "
        "digest, `sha256:9f86d0` or `nginx@sha256:9f86d0`. Without a tag, all tags.",
    )
    versions = serializers.ChoiceField(
        choices=["current", "all"],
        required=False,
        default="current",
        help_text="`current`: what agents should have. `all`: every version ever published, of deleted stacks too.",
    )
    agents = QueryFlag(
        required=False,
        default=False,
        help_text="Also tell which agents should have each version, and which have said that they do.",
    )


class HolderSerializer(serializers.Serializer[Any]):
    agent_id = serializers.UUIDField()
    name = serializers.CharField()
    cluster_name = serializers.CharField()
    should_have = serializers.BooleanField(help_text="The version is what the agent should have.")
    has_said = serializers.BooleanField(help_text="The agent's latest report is SUCCESS on this version.")


class HoldersSerializer(serializers.Serializer[Any]):
    """The agents of one version."""

    should_have = serializers.IntegerField(help_text="How many agents should have it.")
    have_said = serializers.IntegerField(help_text="How many have said that they have it.")
    first = HolderSerializer(many=True, help_text="The first hundred of both, by name.")


class FoundResourceSerializer(serializers.Serializer[Any]):
    """A resource in a version of a stack; where an image is looked for, with the image that it names."""

    group = serializers.CharField()
    api_version = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField(help_text="Empty where the manifest names none.")
    name = serializers.CharField()
    image = serializers.CharField(
        allow_null=True, help_text="In its full form; null unless an image is looked for."
    )
    image_guessed = serializers.BooleanField(
        help_text="The broker does not know the kind, and takes what looks like a container for one."
    )
    stack_id = serializers.UUIDField()
    stack_name = serializers.CharField()
    stack_deleted = serializers.BooleanField()
    deployment_object_id = serializers.UUIDField()
    sequence_id = serializers.IntegerField()
    agents = HoldersSerializer(allow_null=True, help_text="Null unless agents are asked for.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Who runs an image",
            value={"complete": True, "unread_versions": 0, "resources": [_RESOURCE]},
            response_only=True,
        )
    ]
)
class FoundResourcesSerializer(serializers.Serializer[Any]):
    """One page of what was found. Nothing is known of what operators and charts make in the clusters by themselves."""

    complete = serializers.BooleanField(
        help_text="False while versions from before an upgrade are still being read."
    )
    unread_versions = serializers.IntegerField(
        help_text="How many versions have nothing that can be read; `GET /resources/unread-versions` lists them."
    )
    resources = FoundResourceSerializer(many=True, help_text="The newest version first.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A version that cannot be read",
            value={
                "deployment_object_id": _OBJECT_ID,
                "sequence_id": 7,
                "stack_id": _STACK_ID,
                "problem": "Agents cannot read its YAML (document 1, line 3).",
            },
            response_only=True,
        )
    ]
)
class UnreadVersionSerializer(RowSerializer[UnreadVersion]):
    """A version of which the inventory has nothing, and why."""

    deployment_object_id = serializers.UUIDField(source="version.id", read_only=True)
    sequence_id = serializers.IntegerField(source="version_id", read_only=True)
    stack_id = serializers.UUIDField(source="version.stack_id", read_only=True)

    class Meta:
        model = UnreadVersion
        fields = ["deployment_object_id", "sequence_id", "stack_id", "problem"]
        read_only_fields = fields


class OtherStackSerializer(serializers.Serializer[Any]):
    stack_id = serializers.UUIDField()
    name = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("A conflict", value=_CONFLICT, response_only=True)])
class ObjectConflictSerializer(serializers.Serializer[Any]):
    """An object that agents should have from this stack and from others."""

    group = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    identical = serializers.BooleanField(
        help_text="All stacks write it alike, so nothing is wrong. A generator is not told this of other tenants' "
        "objects, but of a Namespace."
    )
    other_stacks = OtherStackSerializer(many=True, help_text="The other stacks that the caller may see.")
    hidden_stacks = serializers.IntegerField(help_text="How many more there are, of other tenants.")
    agent_count = serializers.IntegerField(
        help_text="How many agents should have it from more than one stack."
    )
    agent_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text=f"The first {MAX_AGENTS} of these agents."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A conflict",
            value={
                **_NAMES,
                "identical": False,
                "stacks": [{"stack_id": _STACK_ID, "name": "payments"}, _OTHER_STACK],
            },
            response_only=True,
        )
    ]
)
class AgentConflictSerializer(serializers.Serializer[Any]):
    """An object that an agent should have from several stacks."""

    group = serializers.CharField(source="api_group")
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    identical = serializers.BooleanField(
        source="is_identical", help_text="All stacks write it alike, so nothing is wrong."
    )
    stacks = OtherStackSerializer(many=True)


def conflict_to_json(told: ToldConflict) -> dict[str, Any]:
    """The values for `ObjectConflictSerializer`."""
    conflict = told.conflict
    return {
        "group": conflict.api_group,
        "kind": conflict.kind,
        "namespace": conflict.namespace,
        "name": conflict.name,
        "identical": told.is_note,
        "other_stacks": [stack._asdict() for stack in told.others],
        "hidden_stacks": told.hidden,
        "agent_count": len(conflict.agent_ids),
        "agent_ids": sorted(conflict.agent_ids, key=str)[:MAX_AGENTS],
    }
