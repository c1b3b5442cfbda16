from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from audit.models import AuditLog
from core.api.fields import Id, QueryNumber, QueryText, QueryWindow
from core.api.rows import RowSerializer
from paks.actors import ActorType

_ENTRY: dict[str, Any] = {
    "id": "0193f0c1-0000-7000-8000-000000000005",
    "timestamp": "2026-11-24T09:30:00.000000Z",
    "actor_type": "generator",
    "actor_id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11",
    "actor_name": "payments-ci",
    "actor_label": "payments-ci",
    "key_id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c12",
    "action": "stack.created",
    "resource_type": "stack",
    "resource_id": "0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90",
    "details": {"name": "payments-api", "generator_id": "0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11"},
    "before": None,
    "after": {"name": "payments-api", "description": None},
    "reason": "",
    "seal": 1402,
    "erased": [],
    "ip_address": "10.0.0.7",
    "user_agent": "brokkr-cli/0.9.1",
    "request_id": "0193f0c10000700080000000000000aa",
    "created_at": "2026-11-24T09:30:00.000000Z",
}


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class _Details(serializers.JSONField):
    pass


class AuditLogSerializer(RowSerializer[AuditLog]):
    """`ip_address` and `user_agent` are left out when unknown.

    `before` and `after` are the fields that changed, secrets as digests. `seal` is the number of the seal, null for the
    newest entries. `erased` names what was erased of the entry: `author`, `content`.
    """

    actor_name = serializers.SerializerMethodField()
    ip_address = serializers.CharField(required=False)
    user_agent = serializers.CharField(required=False)
    details = _Details(read_only=True)
    before = _Details(read_only=True)
    after = _Details(read_only=True)
    erased = serializers.SerializerMethodField()

    class Meta:
        model = AuditLog
        fields = [
            "id",
            "timestamp",
            "actor_type",
            "actor_id",
            "actor_name",
            "actor_label",
            "key_id",
            "action",
            "resource_type",
            "resource_id",
            "details",
            "before",
            "after",
            "reason",
            "seal",
            "erased",
            "ip_address",
            "user_agent",
            "request_id",
            "created_at",
        ]
        read_only_fields = fields

    def get_actor_name(self, entry: AuditLog) -> str | None:
        if entry.actor_type in {ActorType.ADMIN, ActorType.SYSTEM}:
            return entry.actor_type
        names: dict[Any, str] = self.context["names"]
        return names.get(entry.actor_id)

    def get_erased(self, entry: AuditLog) -> list[str]:
        return sorted(entry.erased or {})

    def to_representation(self, instance: AuditLog) -> dict[str, Any]:
        entry = super().to_representation(instance)
        return {
            name: value
            for name, value in entry.items()
            if value is not None or name not in {"ip_address", "user_agent"}
        }


@extend_schema_serializer(
    many=False,
    examples=[
        OpenApiExample(
            "A page",
            value={"logs": [_ENTRY], "total": 1, "count": 1, "limit": 100, "offset": 0},
            response_only=True,
        )
    ],
)
class AuditPageSerializer(serializers.Serializer[Any]):
    logs = AuditLogSerializer(many=True)
    total = serializers.IntegerField(help_text="All matches.")
    count = serializers.IntegerField(help_text="Entries in this page.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class AuditQuery(QueryWindow):
    actor_type = QueryText(
        required=False, help_text="Only changes by `admin`, `agent`, `generator` or `system`."
    )
    actor_id = Id(required=False, help_text="Only changes by this agent or generator.")
    action = QueryText(required=False, help_text="Exact, or a prefix that ends in `*`.")
    resource_type = QueryText(
        required=False, help_text="Only changes of this kind of thing, `stack` for instance."
    )
    resource_id = Id(required=False, help_text="Only changes of this thing.")
    limit = QueryNumber(required=False, default=100, help_text="Brought within 1 and 1000.")
    offset = QueryNumber(required=False, default=0, help_text="Brought to 0 or more.")
    cursor = QueryText(
        required=False,
        help_text="Where the page begins, from the previous page's Link header; `offset` then counts for nothing.",
    )
