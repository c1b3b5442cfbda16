"""Since when everything was so: the history tables, which triggers fill with the present time, and past silences."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.migrations.recorder import MigrationRecorder

from agents.models import (
    Agent,
    AgentAnnotationHistory,
    AgentHeartbeat,
    AgentLabelHistory,
    AgentSilence,
    Registration,
    RegistrationHistory,
    TargetHistory,
)
from agents.wanted.past import BEGINNING
from audit.models import AuditLog
from console.demo.context import HISTORY, DemoContext
from core.history import AbstractHistory
from health.models import HealthChange
from stacks.models import Stack, StackAnnotationHistory, StackLabelHistory, StackOwnerHistory

_BATCH = 500
_FALLS_SILENT = 0.15
_SILENCE = timedelta(minutes=40)
# By the action that began it: the history, the column of what the entry is about, and that of its word or stack.
_BEGUN_BY: dict[str, tuple[type[AbstractHistory], str, str, str]] = {
    "agent.label_added": (AgentLabelHistory, "agent_id", "label", "label"),
    "agent.annotation_added": (AgentAnnotationHistory, "agent_id", "key", "key"),
    "agent.target_added": (TargetHistory, "agent_id", "stack_id", "stack_id"),
    "stack.label_added": (StackLabelHistory, "stack_id", "label", "label"),
    "stack.annotation_added": (StackAnnotationHistory, "stack_id", "key", "key"),
}


def date_history(context: DemoContext) -> None:
    """After the audit log has its times: what began then gets the same."""
    for action, (model, owner, column, detail) in _BEGUN_BY.items():
        entries = AuditLog.objects.filter(action=action, timestamp__lt=context.now)
        moments = {
            (entry.resource_id, str((entry.details or {}).get(detail))): entry.timestamp for entry in entries
        }
        for row in _begun(model, context):
            at = moments.get((getattr(row, owner), str(getattr(row, column))))
            _date(row, at)
    registered = dict(Registration.objects.values_list("pk", "registered_at"))
    for row in _begun(RegistrationHistory, context):
        _date(row, registered.get(row.pk))
    created = dict(Stack.objects.values_list("pk", "created_at"))
    for row in _begun(StackOwnerHistory, context):
        _date(row, created.get(row.stack_id))
    _date_health(context)
    _begin_before(context)


def add_silences(context: DemoContext) -> None:
    """Some agents that are heard now were silent for a while."""
    heard = AgentHeartbeat.objects.filter(last_heartbeat__gte=context.ago(minutes=1)).values("agent")
    silences = []
    for agent_id in Agent.objects.filter(pk__in=heard).order_by("name").values_list("pk", flat=True):
        if context.happens(_FALLS_SILENT):
            since = context.between(context.now - HISTORY, context.ago(hours=4))
            ended = since + _SILENCE * context.chance.uniform(1, 4)
            announced = since + timedelta(minutes=5)
            silences.append(
                AgentSilence(agent_id=agent_id, since=since, announced_at=announced, ended_at=ended)
            )
    AgentSilence.objects.bulk_create(silences)


def _date_health(context: DemoContext) -> None:
    rows = []
    for row in HealthChange.objects.filter(at__gte=context.now):
        known = context.moments.get(("health.changed", row.deployment_object_id, str(row.agent_id)))
        if known is not None:
            row.at = known
            rows.append(row)
    HealthChange.objects.bulk_update(rows, ["at"], batch_size=_BATCH)


def _begin_before(context: DemoContext) -> None:
    """Let the broker know its past from the demonstration's beginning on, if it has no other agents and stacks."""
    others = Agent.objects.exclude(pk__in=[agent.pk for agent in context.agents]).exists()
    others |= Stack.objects.exclude(pk__in=[stack.pk for stack in context.stacks]).exists()
    if not others:
        MigrationRecorder.Migration.objects.filter(**BEGINNING).update(applied=context.now - HISTORY)


def _begun(model: type[AbstractHistory], context: DemoContext) -> Iterator[Any]:
    """What the demonstration began. The database's clock may be a little behind."""
    yield from model._default_manager.filter(added_at__gte=context.now - timedelta(seconds=5)).iterator()


def _date(row: AbstractHistory, at: datetime | None) -> None:
    if at is not None and at < row.added_at:
        row.added_at = at
        row.save(update_fields=["added_at"])
