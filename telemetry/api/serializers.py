from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Moment, QueryNumber

_RETENTION = {
    "retention_ceiling_seconds": 21600,
    "effective_retention_seconds": 21600,
    "oldest_available_ts": None,
    "long_term_sink_hint": "Send events and logs to Datadog, Loki or Elasticsearch from the cluster itself.",
}


class RetentionSerializer(serializers.Serializer[Any]):
    """How far back the answer can reach."""

    retention_ceiling_seconds = serializers.IntegerField()
    effective_retention_seconds = serializers.IntegerField()
    oldest_available_ts = serializers.DateTimeField(
        allow_null=True, help_text="Of the oldest row of the answer."
    )
    long_term_sink_hint = serializers.CharField(help_text="Where to look for more.")


@extend_schema_field({"type": "object", "additionalProperties": True})
class _InvolvedObject(serializers.JSONField):
    pass


class ClusterEventSerializer(serializers.Serializer[Any]):
    """A Kubernetes event that an agent has seen."""

    id = serializers.UUIDField()
    agent_id = serializers.UUIDField()
    stack_id = serializers.UUIDField()
    observed_at = serializers.DateTimeField()
    reason = serializers.CharField()
    message = serializers.CharField()
    event_type = serializers.CharField()
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # DRF fields have a `source` too
    involved_object = _InvolvedObject()
    created_at = serializers.DateTimeField()


class PodLogLineSerializer(serializers.Serializer[Any]):
    """A line that a container wrote."""

    id = serializers.UUIDField()
    agent_id = serializers.UUIDField()
    stack_id = serializers.UUIDField()
    namespace = serializers.CharField()
    pod = serializers.CharField()
    container = serializers.CharField()
    ts = serializers.DateTimeField()
    line = serializers.CharField()
    created_at = serializers.DateTimeField()


@extend_schema_serializer(
    many=False,
    examples=[
        OpenApiExample("What there is", value={"retention": _RETENTION, "events": []}, response_only=True)
    ],
)
class ClusterEventsSerializer(serializers.Serializer[Any]):
    retention = RetentionSerializer()
    events = ClusterEventSerializer(many=True)


@extend_schema_serializer(
    many=False,
    examples=[
        OpenApiExample("What there is", value={"retention": _RETENTION, "lines": []}, response_only=True)
    ],
)
class PodLogsSerializer(serializers.Serializer[Any]):
    retention = RetentionSerializer()
    lines = PodLogLineSerializer(many=True)


class TelemetryQuery(serializers.Serializer[Any]):
    since = Moment(required=False, help_text="Not earlier than this, and than six hours ago.")
    limit = QueryNumber(required=False, default=500, help_text="Brought within 1 and 5000.")


class ConnectionSerializer(serializers.Serializer[Any]):
    """One agent's WebSocket."""

    agent_id = serializers.UUIDField()
    connected_since = serializers.DateTimeField()
    messages_in = serializers.IntegerField()
    messages_out = serializers.IntegerField()


@extend_schema_serializer(
    many=False,
    examples=[
        OpenApiExample(
            "What there is",
            value={"connected_agents": 0, "connections": [], "live_subscribers": 0},
            response_only=True,
        )
    ],
)
class ConnectionsSerializer(serializers.Serializer[Any]):
    connected_agents = serializers.IntegerField()
    connections = ConnectionSerializer(many=True)
    live_subscribers = serializers.IntegerField()
