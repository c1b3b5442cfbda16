from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from agents.install import InstallForm
from agents.models import Agent, AgentAnnotation, AgentEvent, AgentLabel, AgentTarget, Registration
from agents.models.event import MAX_EVENT_TYPE, EventStatus
from core.api.fields import LABEL_RULE, NAME_RULE, Flag, Id, Moment, QueryText, Text, WholeNumber
from core.api.pagination import ListQuery
from core.api.rows import RowSerializer
from core.validators import is_blank

_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_OBJECT_ID = "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4"
_AGENT = {
    "id": _ID,
    "created_at": "2026-11-24T09:30:00.000000Z",
    "updated_at": "2026-11-24T09:30:00.000000Z",
    "deleted_at": None,
    "name": "edge-01",
    "cluster_name": "frankfurt",
    "last_heartbeat": "2026-11-24T09:45:00.000000Z",
    "status": "ACTIVE",
    "silent_after_seconds": None,
    "k8s_reachable": True,
    "k8s_api_latency_ms": 12,
    "agent_version": "1.0.0",
    "k8s_reported_at": "2026-11-24T09:45:00.000000Z",
}
_EVENT = {
    "id": "0193f0b7-aaaa-7bbb-8ccc-0d0e0f101112",
    "created_at": "2026-11-24T09:45:10.000000Z",
    "updated_at": "2026-11-24T09:45:10.000000Z",
    "deleted_at": None,
    "agent_id": _ID,
    "deployment_object_id": _OBJECT_ID,
    "event_type": "DEPLOY",
    "status": "SUCCESS",
    "message": None,
    "count": 1,
}
STATUS_RULE = NAME_RULE | {"maxLength": 50}
# The limit of one batch. It is written with few statements, but the transaction locks the agent until it ends.
MAX_EVENTS = 500
# Of one new agent: each label is a row and an entry of the audit log.
MAX_LABELS = 100


@extend_schema_serializer(examples=[OpenApiExample("An agent", value=_AGENT, response_only=True)])
class AgentSerializer(RowSerializer[Agent]):
    """An agent; the last heartbeat and what it said come from the row that heartbeats write."""

    last_heartbeat = serializers.DateTimeField(
        source="heartbeat.last_heartbeat", allow_null=True, read_only=True
    )
    k8s_reachable = serializers.BooleanField(
        source="heartbeat.k8s_reachable", allow_null=True, read_only=True
    )
    k8s_api_latency_ms = serializers.IntegerField(
        source="heartbeat.k8s_api_latency_ms", allow_null=True, read_only=True
    )
    k8s_reported_at = serializers.DateTimeField(
        source="heartbeat.k8s_reported_at", allow_null=True, read_only=True
    )
    agent_version = serializers.CharField(
        source="heartbeat.agent_version",
        allow_null=True,
        read_only=True,
        help_text="As the agent said when it last synced; null for agents that do not sync.",
    )

    class Meta:
        model = Agent
        fields = [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "name",
            "cluster_name",
            "last_heartbeat",
            "status",
            "silent_after_seconds",
            "k8s_reachable",
            "k8s_api_latency_ms",
            "k8s_reported_at",
            "agent_version",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample("A new agent", value={"name": "edge-01", "cluster_name": "frankfurt"}),
        OpenApiExample(
            "With labels", value={"name": "edge-01", "cluster_name": "frankfurt", "labels": ["env:prod"]}
        ),
    ]
)
class CreateAgentBody(serializers.Serializer[Any]):
    name = Text(rule=NAME_RULE)
    cluster_name = Text(rule=NAME_RULE)
    generator_ids = serializers.ListField(
        child=Id(), required=False, default=list, help_text="Generators to register the agent with."
    )
    labels = serializers.ListField(
        child=Text(rule=LABEL_RULE),
        required=False,
        default=list,
        max_length=MAX_LABELS,
        help_text="Labels to put on the agent. What comes twice counts once.",
    )


@extend_schema_serializer(examples=[OpenApiExample("Activate", value={"status": "ACTIVE"})])
class UpdateAgentBody(serializers.Serializer[Any]):
    """The whole agent or only what changes; read-only fields are not looked at."""

    id = Id(required=False, help_text="If present, must be the id in the path.")
    name = Text(rule=NAME_RULE, required=False)
    cluster_name = Text(rule=NAME_RULE, required=False)
    status = Text(rule=STATUS_RULE, required=False, help_text="Agents work only while this is ACTIVE.")
    silent_after_seconds = WholeNumber(
        required=False,
        allow_null=True,
        max_value=2**31 - 1,
        rule={"minimum": 1},
        help_text="The agent counts as silent when its last heartbeat is older. Null: as the setting says. Only an "
        "admin changes it.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "With its key",
            value={"agent": _AGENT, "initial_pak": "brokkr_BRexample_theKeyIsShownOnlyInThisAnswer"},
            response_only=True,
        )
    ]
)
class AgentWithInitialPakSerializer(serializers.Serializer[Any]):
    agent = AgentSerializer()
    initial_pak = serializers.CharField(help_text="The key. It is shown once.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "With its key",
            value={"agent": _AGENT, "pak": "brokkr_BRexample_theKeyIsShownOnlyInThisAnswer"},
            response_only=True,
        )
    ]
)
class AgentWithPakSerializer(serializers.Serializer[Any]):
    agent = AgentSerializer()
    pak = serializers.CharField(help_text="The key. It is shown once.")


class AgentListQuery(ListQuery):
    name = QueryText(required=False, help_text="Only names that contain this, in any case.")
    cluster_name = QueryText(required=False, help_text="Only this cluster.")
    label = QueryText(required=False, help_text="Only agents that carry this label.")  # type: ignore[assignment]  # DRF fields have a `label` too
    status = QueryText(required=False, help_text="Only this status.")


class InstallQuery(serializers.Serializer[Any]):
    format = serializers.ChoiceField(
        choices=[form.value for form in InstallForm],
        help_text="`brokkr-agent`: a namespace, a Secret, an account with its rights and a Deployment of it, as YAML. "
        "`manifests`: the same for an agent of v0.9.1. `env`: its variables, for a shell or an environment file.",
    )


class AgentLookUpQuery(serializers.Serializer[Any]):
    # They are required, but the view refuses a request without them, with a code of its own.
    name = Text(help_text="The agent's exact name.")
    cluster_name = Text(help_text="Its exact cluster.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A label",
            value={"id": "0193f0b2-0000-7000-8000-000000000001", "agent_id": _ID, "label": "env:prod"},
            response_only=True,
        )
    ]
)
class AgentLabelSerializer(RowSerializer[AgentLabel]):
    agent_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = AgentLabel
        fields = ["id", "agent_id", "label"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An annotation",
            value={
                "id": "0193f0b2-0000-7000-8000-000000000002",
                "agent_id": _ID,
                "key": "region",
                "value": "eu-west-1",
            },
            response_only=True,
        )
    ]
)
class AgentAnnotationSerializer(RowSerializer[AgentAnnotation]):
    agent_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = AgentAnnotation
        fields = ["id", "agent_id", "key", "value"]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A target",
            value={"id": "0193f0b3-0000-7000-8000-000000000003", "agent_id": _ID, "stack_id": _STACK_ID},
            response_only=True,
        )
    ]
)
class AgentTargetSerializer(RowSerializer[AgentTarget]):
    agent_id = serializers.UUIDField(read_only=True)
    stack_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = AgentTarget
        fields = ["id", "agent_id", "stack_id"]
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A target", value={"stack_id": _STACK_ID})])
class AddTargetBody(serializers.Serializer[Any]):
    agent_id = Id(required=False, help_text="If present, must be the id in the path.")
    stack_id = Id()


@extend_schema_serializer(
    examples=[OpenApiExample("Cluster reachable", value={"k8s_reachable": True, "k8s_api_latency_ms": 12})]
)
class HeartbeatBody(serializers.Serializer[Any]):
    k8s_reachable = Flag(required=False, allow_null=True, default=None)
    k8s_api_latency_ms = WholeNumber(
        required=False, allow_null=True, default=None, min_value=-(2**31), max_value=2**31 - 1
    )


class TargetStateQuery(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(
        choices=["full", "incremental"],
        required=False,
        help_text="`full`: everything the agent should have. `incremental`: without what it has reported on. "
        "The default is a setting, `full` unless changed.",
    )
    at = Moment(
        required=False,
        help_text="What the agent should have had at this moment, in full, under the settings of today.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "at" in attrs:
            if attrs.get("mode") == "incremental":
                raise serializers.ValidationError({"mode": "The past is told in full only."})
            return {"mode": "full"} | attrs
        return {"mode": settings.TARGET_STATE_DEFAULT} | attrs


@extend_schema_serializer(examples=[OpenApiExample("A report", value=_EVENT, response_only=True)])
class AgentEventSerializer(RowSerializer[AgentEvent]):
    agent_id = serializers.UUIDField(read_only=True)
    deployment_object_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = AgentEvent
        fields = [
            "id",
            "created_at",
            "updated_at",
            "deleted_at",
            "agent_id",
            "deployment_object_id",
            "event_type",
            "status",
            "message",
            "count",
        ]
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Applied",
            value={
                "agent_id": _ID,
                "deployment_object_id": _OBJECT_ID,
                "event_type": "DEPLOY",
                "status": "SUCCESS",
                "message": None,
            },
        )
    ]
)
class ReportEventBody(serializers.Serializer[Any]):
    agent_id = Id(required=False, help_text="If present, must be the id in the path.")
    deployment_object_id = Id()
    event_type = Text(rule=STATUS_RULE, help_text="What was done, `DEPLOY` for instance.")
    status = serializers.ChoiceField(choices=EventStatus.choices)
    message = Text(required=False, allow_null=True, default=None)

    def validate_event_type(self, value: str) -> str:
        if is_blank(value) or len(value) > MAX_EVENT_TYPE:
            raise serializers.ValidationError("must have 1 to 50 characters")
        return value


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two outcomes",
            value={
                "events": [
                    {"deployment_object_id": _OBJECT_ID, "event_type": "DEPLOY", "status": "SUCCESS"},
                    {
                        "deployment_object_id": "0193f0a5-9c01-7d22-8e10-0b2c3d4e5f60",
                        "event_type": "DEPLOY",
                        "status": "FAILURE",
                        "message": 'namespaces "web" not found',
                    },
                ]
            },
        )
    ]
)
class ReportEventsBody(serializers.Serializer[Any]):
    events = serializers.ListField(child=ReportEventBody(), min_length=1, max_length=MAX_EVENTS)


class EventListQuery(ListQuery):
    pak_id = Id(required=False, help_text="Only events on this generator's stacks.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A registration",
            value={
                "id": "0193f0b4-0000-7000-8000-000000000004",
                "agent_id": _ID,
                "generator_id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11",
                "registered_at": "2026-11-24T09:30:00.000000Z",
            },
            response_only=True,
        )
    ]
)
class RegistrationSerializer(RowSerializer[Registration]):
    agent_id = serializers.UUIDField(read_only=True)
    generator_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Registration
        fields = ["id", "agent_id", "generator_id", "registered_at"]
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("By an admin", value={"agent_id": _ID})])
class RegisterBody(serializers.Serializer[Any]):
    agent_id = Id(
        required=False,
        allow_null=True,
        default=None,
        help_text="An admin must name the agent; an agent is itself.",
    )
