from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Flag, Id, Moment, Text, WholeNumber
from core.api.rows import RowSerializer
from health.models import DeploymentHealth, HealthStatus

_AGENT_ID = "0193f0b1-2d4e-7a10-8c55-6f0f1d2e3a4b"
_OBJECT_ID = "0193f0a5-42ab-7c11-b0b7-93b1f2f6d0a4"
_STACK_ID = "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90"
_AT = "2026-11-24T09:45:00.000000Z"
_HEARD_AT = "2026-11-24T09:45:00.250000Z"
_STATUSES = [status.value for status in HealthStatus]
_MAX = 2**31 - 1


class ResourceHealthBody(serializers.Serializer[Any]):
    """One Kubernetes resource."""

    kind = Text()
    name = Text()
    namespace = Text()
    ready = Flag()
    message = Text(required=False, allow_null=True, default=None)


class HealthSummaryBody(serializers.Serializer[Any]):
    """What the status rests on. Kept, and shown as text."""

    pods_ready = WholeNumber(min_value=0, max_value=_MAX)
    pods_total = WholeNumber(min_value=0, max_value=_MAX)
    conditions = serializers.ListField(
        child=Text(), help_text="Problems that were found, `ImagePullBackOff` for instance."
    )
    resources = serializers.ListField(
        child=ResourceHealthBody(), required=False, allow_null=True, default=None
    )


class ObjectHealthBody(serializers.Serializer[Any]):
    """The health of one deployment object."""

    id = Id(help_text="The deployment object.")
    status = Text(rule={"enum": _STATUSES})
    summary = HealthSummaryBody(required=False, allow_null=True, default=None)
    checked_at = Moment(help_text="When the agent looked, by its own clock.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One object in trouble",
            value={
                "deployment_objects": [
                    {
                        "id": _OBJECT_ID,
                        "status": "degraded",
                        "summary": {
                            "pods_ready": 1,
                            "pods_total": 2,
                            "conditions": ["ImagePullBackOff"],
                            "resources": [
                                {
                                    "kind": "Deployment",
                                    "name": "payments-api",
                                    "namespace": "payments",
                                    "ready": False,
                                    "message": "1 of 2 pods are ready",
                                }
                            ],
                        },
                        "checked_at": _AT,
                    }
                ]
            },
        )
    ]
)
class HealthStatusBody(serializers.Serializer[Any]):
    deployment_objects = serializers.ListField(child=ObjectHealthBody())


class DeploymentHealthSerializer(RowSerializer[DeploymentHealth]):
    """What one agent said last."""

    agent_id = serializers.UUIDField(read_only=True)
    deployment_object_id = serializers.UUIDField(read_only=True)
    summary = serializers.CharField(
        read_only=True, allow_null=True, help_text="What the status rests on, as JSON text."
    )
    stale = serializers.SerializerMethodField(help_text="Whether it is too old to count.")

    class Meta:
        model = DeploymentHealth
        fields = [
            "id",
            "agent_id",
            "deployment_object_id",
            "status",
            "summary",
            "checked_at",
            "created_at",
            "updated_at",
            "stale",
        ]
        read_only_fields = fields
        extra_kwargs = {"updated_at": {"help_text": "When the broker last heard of it."}}

    def get_stale(self, health: DeploymentHealth) -> bool:
        return bool(health.updated_at < self.context["fresh_since"])


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One agent",
            value={
                "deployment_object_id": _OBJECT_ID,
                "overall_status": "degraded",
                "observed_at": _HEARD_AT,
                "health_records": [
                    {
                        "id": "0193f0c7-0000-7000-8000-000000000001",
                        "agent_id": _AGENT_ID,
                        "deployment_object_id": _OBJECT_ID,
                        "status": "degraded",
                        "summary": '{"pods_ready":1,"pods_total":2,"conditions":[],"resources":null}',
                        "checked_at": _AT,
                        "created_at": "2026-11-24T09:30:00.250000Z",
                        "updated_at": _HEARD_AT,
                        "stale": False,
                    }
                ],
            },
            response_only=True,
        )
    ]
)
class ObjectHealthSerializer(serializers.Serializer[Any]):
    deployment_object_id = serializers.UUIDField()
    overall_status = serializers.ChoiceField(
        choices=HealthStatus.choices, help_text="The worst of what still counts; `unknown` when nothing does."
    )
    observed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the broker last heard of it; null when it never has."
    )
    health_records = DeploymentHealthSerializer(many=True, help_text="One per agent, last checked first.")


class StackObjectHealthSerializer(serializers.Serializer[Any]):
    """What the agents say of one object."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=HealthStatus.choices)
    healthy_agents = serializers.IntegerField()
    degraded_agents = serializers.IntegerField()
    failing_agents = serializers.IntegerField()
    unknown_agents = serializers.IntegerField(help_text="Agents that do not know, or whose word is too old.")
    observed_at = serializers.DateTimeField(help_text="When the broker last heard of it.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One version in trouble",
            value={
                "stack_id": _STACK_ID,
                "overall_status": "failing",
                "observed_at": _HEARD_AT,
                "deployment_objects": [
                    {
                        "id": _OBJECT_ID,
                        "status": "failing",
                        "healthy_agents": 11,
                        "degraded_agents": 0,
                        "failing_agents": 1,
                        "unknown_agents": 0,
                        "observed_at": _HEARD_AT,
                    }
                ],
            },
            response_only=True,
        )
    ]
)
class StackHealthSerializer(serializers.Serializer[Any]):
    stack_id = serializers.UUIDField()
    overall_status = serializers.ChoiceField(
        choices=HealthStatus.choices, help_text="The worst of its objects; `unknown` when nothing is known."
    )
    observed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the broker last heard of any; null when it never has."
    )
    deployment_objects = StackObjectHealthSerializer(
        many=True, help_text="Live objects of which any agent has said something, newest first."
    )
