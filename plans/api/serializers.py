"""Bodies and answers of plans."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from agents.models import HoldReason
from core.api.errors import error_body
from core.api.fields import AnyJson, Id, Text
from core.api.pagination import ListQuery
from inventory.api.serializers import ObjectConflictSerializer, conflict_to_json
from plans.changes import Kind
from plans.reports import MAX_CONFLICTS, Condition
from stacks.api.serializers import PublishWarningSerializer

_KINDS = [kind.value for kind in Kind]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A label",
            value={
                "method": "POST",
                "path": "/stacks/0198c0de-0000-7000-8000-000000000001/labels",
                "body": {"label": "env:prod"},
            },
        )
    ]
)
class PlanBody(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=["POST", "PUT", "DELETE"])
    path = Text(help_text="Below /api/v1, with the query if there is one.")
    body = AnyJson(required=False, help_text="The body of the write. A manifest may be a string.")


class PlanQuery(ListQuery):
    stack_id = Id(required=False, help_text="In `agents`, only pairs of this stack.")
    change = serializers.ChoiceField(
        choices=_KINDS,
        required=False,
        help_text="In `agents`, only pairs with this change, now or eventually.",
    )


class KindCountsSerializer(serializers.Serializer[Any]):
    gaining = serializers.IntegerField()
    changing = serializers.IntegerField()
    losing = serializers.IntegerField()


class ResourceNameSerializer(serializers.Serializer[Any]):
    group = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()


class ChangedResourceSerializer(serializers.Serializer[Any]):
    resource = ResourceNameSerializer()
    diff = serializers.ListField(
        child=serializers.CharField(),
        help_text="Lines with a blank, `-` or `+` before them; values of Secrets are masked.",
    )


class ResourceChangesSerializer(serializers.Serializer[Any]):
    added = ResourceNameSerializer(many=True)
    changed = ChangedResourceSerializer(many=True)
    removed = ResourceNameSerializer(many=True)
    added_count = serializers.IntegerField()
    changed_count = serializers.IntegerField()
    removed_count = serializers.IntegerField()


class VersionChangeSerializer(serializers.Serializer[Any]):
    from_sequence_id = serializers.IntegerField(allow_null=True)
    to_sequence_id = serializers.IntegerField(
        allow_null=True, help_text="Null where there is no version, and for the one that the write makes."
    )
    is_made = serializers.BooleanField(help_text="Whether the write makes the version that is gone to.")
    agents = serializers.IntegerField()
    resources = ResourceChangesSerializer(
        allow_null=True, help_text="Null where the manifests are too many, too long, or cannot be read."
    )


class PlannedStackSerializer(serializers.Serializer[Any]):
    stack_id = serializers.UUIDField()
    name = serializers.CharField()
    now = KindCountsSerializer()
    eventually = KindCountsSerializer()
    holds = serializers.ListField(
        child=serializers.ChoiceField(choices=HoldReason.choices),
        help_text="Why the stack's newest version will be held.",
    )
    versions = VersionChangeSerializer(
        many=True,
        help_text="Without the agents that are deleted: nothing is removed from their clusters.",
    )
    conflicts = serializers.SerializerMethodField(
        help_text=f"Objects that agents will have from this stack and from others; the first {MAX_CONFLICTS}."
    )

    @extend_schema_field(ObjectConflictSerializer(many=True))
    def get_conflicts(self, stack: Any) -> Any:
        return ObjectConflictSerializer([conflict_to_json(told) for told in stack.conflicts], many=True).data


class PlannedAgentSerializer(serializers.Serializer[Any]):
    agent_id = serializers.UUIDField()
    name = serializers.CharField()
    cluster_name = serializers.CharField()
    condition = serializers.ChoiceField(
        choices=[each.value for each in Condition],
        help_text="`silent` agents apply it when they are heard again; `inactive` ones apply nothing.",
    )


class PlannedPairSerializer(serializers.Serializer[Any]):
    agent = PlannedAgentSerializer()
    stack_id = serializers.UUIDField()
    now = serializers.ChoiceField(choices=_KINDS, allow_null=True)
    eventually = serializers.ChoiceField(choices=_KINDS, allow_null=True)


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(required=False)


_STACK_ID, _AGENT_ID = "0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One agent gains a stack",
            value={
                "digest": "5a" * 32,
                "agent_count": 1,
                "silent_count": 0,
                "inactive_count": 0,
                "losing_agents": 0,
                "losing_percent": 0.0,
                "stacks": [
                    {
                        "stack_id": _STACK_ID,
                        "name": "shop",
                        "now": {"gaining": 1, "changing": 0, "losing": 0},
                        "eventually": {"gaining": 1, "changing": 0, "losing": 0},
                        "holds": [],
                        "versions": [
                            {
                                "from_sequence_id": None,
                                "to_sequence_id": 7,
                                "is_made": False,
                                "agents": 1,
                                "resources": {
                                    "added": [
                                        {
                                            "group": "apps",
                                            "kind": "Deployment",
                                            "namespace": "shop",
                                            "name": "web",
                                        }
                                    ],
                                    "changed": [],
                                    "removed": [],
                                    "added_count": 1,
                                    "changed_count": 0,
                                    "removed_count": 0,
                                },
                            }
                        ],
                        "conflicts": [],
                    }
                ],
                "agents": [
                    {
                        "agent": {
                            "agent_id": _AGENT_ID,
                            "name": "edge-01",
                            "cluster_name": "edge",
                            "condition": "heard",
                        },
                        "stack_id": _STACK_ID,
                        "now": "gaining",
                        "eventually": "gaining",
                    }
                ],
                "starting": [],
                "stopping": [],
                "leaving": [],
                "refused_by": [],
                "warnings": [],
            },
        )
    ]
)
class PlanSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(help_text="For `If-Plan`.")
    agent_count = serializers.IntegerField(source="agents", help_text="The agents in any of the pairs.")
    silent_count = serializers.IntegerField(source="silent")
    inactive_count = serializers.IntegerField(source="inactive")
    losing_agents = serializers.IntegerField(help_text="The agents that lose at least one stack in the end.")
    losing_percent = serializers.FloatField(
        help_text="Their share of all agents or of the active ones that are heard, whichever is larger."
    )
    stacks = PlannedStackSerializer(many=True)
    agents = serializers.SerializerMethodField()
    starting = PlannedAgentSerializer(many=True, help_text="Agents that become active.")
    stopping = PlannedAgentSerializer(many=True, help_text="Agents that cease to be active.")
    leaving = PlannedAgentSerializer(
        many=True,
        help_text="Agents that are deleted: they lose their stacks, and what they have deployed stays there.",
    )
    refused_by = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()

    @extend_schema_field(PlannedPairSerializer(many=True))
    def get_agents(self, _plan: object) -> Any:
        return PlannedPairSerializer(self.context["pairs"], many=True).data

    @extend_schema_field(RefusalSerializer(many=True))
    def get_refused_by(self, plan: Any) -> Any:
        return [
            {
                name: value
                for name, value in error_body(refusal).items()
                if name in {"code", "message", "details"}
            }
            for refusal in plan.refused_by
        ]

    @extend_schema_field(PublishWarningSerializer(many=True))
    def get_warnings(self, _plan: object) -> Any:
        return self.context["warnings"].get("warnings", [])
