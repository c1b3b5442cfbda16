"""What observes the fleet: webhooks, health statuses, diagnostics."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from console.demo import samples
from console.demo.context import DemoContext
from console.demo.timestamps import set_created_at
from core.events import Actor
from diagnostics.services import claim_diagnostic, request_diagnostic, submit_result
from health.models import DeploymentHealth, HealthStatus
from health.services import HealthReport, report_health
from paks.actors import ActorType
from webhooks.services.subscriptions import create_subscription
from webhooks.vault import has_key

_DIAGNOSTICS = 4


def add_webhooks(context: DemoContext) -> None:
    """Two webhooks that the broker delivers and one for agents. None without a key to encrypt their URLs."""
    if not has_key():
        return
    for name, patterns in samples.WEBHOOKS.items():
        subscription, _ = create_subscription(
            name=name,
            url=f"https://hooks.example.com/{name}",
            event_types=patterns,
            # These deliveries stay pending, because the agents of the demonstration never ask for them.
            target_labels=["prod"] if name == "in-the-cluster" else None,
            actor=context.actor,
        )
        set_created_at(context, subscription, context.ago(hours=context.chance.uniform(200, 600)))
        context.webhooks.append(subscription)


def add_health(context: DemoContext) -> None:
    """What agents observe of the version they reported last. A version they failed to apply is failing.

    Agents look with every heartbeat. A status is as old as the report, or younger when the version broke later.
    """
    rows: list[DeploymentHealth] = []
    for agent in Agent.objects.filter(pk__in=[agent.pk for agent in context.agents]).select_related(
        "heartbeat"
    ):
        said = {
            next(obj.id for obj in context.objects[each.stack] if obj.sequence_id == each.sequence_id): each
            for each in StackReport.objects.filter(agent=agent).select_related("stack")
        }
        heard = agent.heartbeat.last_heartbeat
        if not said or heard is None:
            continue
        reports = [_report(context, object_id, word.status, heard) for object_id, word in said.items()]
        report_health(agent_id=agent.pk, reports=reports, actor=_as(agent), now=context.now)
        for row in DeploymentHealth.objects.filter(agent=agent).select_related("deployment_object"):
            object_id = row.deployment_object.id
            first = min(said[object_id].since + timedelta(seconds=30), heard)
            row.created_at, row.updated_at = first, heard
            changed = first if row.status == HealthStatus.FAILING else context.between(first, heard)
            context.moments["health.changed", object_id, str(agent.pk)] = changed
            rows.append(row)
    DeploymentHealth.objects.bulk_update(rows, ["created_at", "updated_at"], batch_size=500)


def _report(context: DemoContext, object_id: UUID, said: str, heard: datetime) -> HealthReport:
    if said == EventStatus.FAILURE:
        status = HealthStatus.FAILING
    else:
        status = HealthStatus.DEGRADED if context.happens(0.02) else HealthStatus.HEALTHY
    return HealthReport(
        deployment_object_id=object_id, status=status, checked_at=heard, summary=samples.HEALTH[status]
    )


def add_diagnostics(context: DemoContext) -> None:
    """Diagnostics about failures of agents that are alive. The last one is not answered yet."""
    failures = StackReport.objects.filter(
        status=EventStatus.FAILURE,
        reported_at__lte=context.ago(minutes=55),
        agent__heartbeat__last_heartbeat__gte=context.ago(minutes=1),
    ).select_related("agent", "stack")
    chosen = list(failures.order_by("-reported_at")[:_DIAGNOSTICS])
    for number, said in enumerate(chosen, start=1):
        agent, asked = said.agent, context.ago(minutes=50 - number * 10)
        request = request_diagnostic(
            deployment_object_id=context.objects[said.stack][-1].id,
            agent_id=agent.pk,
            requested_by=context.chance.choice(samples.PEOPLE),
            retention_minutes=60,
            actor=context.actor,
            now=asked,
        )
        if number == len(chosen):
            return
        claim_diagnostic(diagnostic_id=request.pk, actor=_as(agent), now=asked)
        app = context.apps[said.stack][1]
        submit_result(
            diagnostic_id=request.pk,
            pod_statuses=orjson.dumps([_pod(app)]).decode(),
            events=orjson.dumps([_event(app, said.message, at=asked)]).decode(),
            log_tails=orjson.dumps({f"{app}-0": "waiting for the database"}).decode(),
            collected_at=asked + timedelta(seconds=8),
            actor=_as(agent),
            now=asked + timedelta(seconds=9),
        )


def _pod(app: str) -> dict[str, Any]:
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
    }
    container = {"name": app, "ready": False, "restartCount": 7, "state": waiting}
    return {"namespace": "default", "name": f"{app}-0", "phase": "Running", "containers": [container]}


def _event(app: str, message: str | None, *, at: datetime) -> dict[str, Any]:
    seen = {"count": 12, "lastTimestamp": at.isoformat()}
    return {"object": f"Pod {app}-0", "type": "Warning", "reason": "Failed", "message": message, **seen}


def _as(agent: Agent) -> Actor:
    return Actor(type=ActorType.AGENT, id=agent.pk, label=agent.name)
