"""Who watches the fleet: webhooks with what was sent to them, health statuses, diagnostics."""

from datetime import timedelta

import orjson

from agents.models import Agent, StackReport
from agents.models.event import EventStatus
from console.demo import words
from console.demo.scene import Scene
from core.events import Actor, ActorType
from diagnostics.services import claim_diagnostic, request_diagnostic, submit_result
from health.models import HealthStatus
from health.services import HealthReport, report_health
from webhooks.models import Delivery, Status
from webhooks.services.subscriptions import create_subscription
from webhooks.vault import has_key

_DIAGNOSTICS = 4


def add_webhooks(scene: Scene) -> None:
    """Two that the broker serves and one for agents. None where no key is configured to keep their URLs."""
    if not has_key():
        return
    for name, patterns in words.WEBHOOKS.items():
        subscription, _ = create_subscription(
            name=name,
            url=f"https://hooks.example.com/{name}",
            event_types=patterns,
            # Its deliveries wait: the agents of the demonstration never ask for them.
            target_labels=["prod"] if name == "in-the-cluster" else None,
            actor=scene.actor,
        )
        scene.webhooks.append(subscription)


def add_health(scene: Scene) -> None:
    """What agents observe of the version they reported last; what they failed to apply is failing."""
    for agent in scene.agents:
        reports = []
        for said in StackReport.objects.filter(agent=agent).select_related("stack"):
            if said.status == EventStatus.FAILURE:
                status = HealthStatus.FAILING
            else:
                status = HealthStatus.DEGRADED if scene.happens(0.02) else HealthStatus.HEALTHY
            reports.append(
                HealthReport(
                    deployment_object_id=next(
                        obj.id for obj in scene.objects[said.stack] if obj.sequence_id == said.sequence_id
                    ),
                    status=status,
                    checked_at=scene.now,
                    summary=words.HEALTH[status],
                )
            )
        if reports:
            report_health(agent_id=agent.pk, reports=reports, actor=_as(agent), now=scene.now)


def add_diagnostics(scene: Scene) -> None:
    """What was asked about failures, the last of it not answered yet."""
    failures = StackReport.objects.filter(status=EventStatus.FAILURE).select_related("agent", "stack")
    chosen = list(failures.order_by("-reported_at")[:_DIAGNOSTICS])
    for number, said in enumerate(chosen, start=1):
        agent, asked = said.agent, scene.ago(minutes=50 - number * 10)
        request = request_diagnostic(
            deployment_object_id=scene.objects[said.stack][-1].id,
            agent_id=agent.pk,
            requested_by=scene.chance.choice(words.PEOPLE),
            retention_minutes=60,
            actor=scene.actor,
            now=asked,
        )
        if number == len(chosen):
            return
        claim_diagnostic(diagnostic_id=request.pk, actor=_as(agent), now=asked)
        app = scene.apps[said.stack][1]
        submit_result(
            diagnostic_id=request.pk,
            pod_statuses=orjson.dumps([{"name": f"{app}-0", "phase": "Pending", "ready": False}]).decode(),
            events=orjson.dumps([{"type": "Warning", "message": said.message}]).decode(),
            log_tails=orjson.dumps({f"{app}-0": "waiting for the database"}).decode(),
            collected_at=asked + timedelta(seconds=8),
            actor=_as(agent),
            now=asked + timedelta(seconds=9),
        )


def settle_deliveries(scene: Scene) -> None:
    """Most that the broker sends arrived, some will never; the attempts are written as they would have been."""
    sent = Delivery.objects.filter(subscription__in=scene.webhooks, audience=None)
    for delivery in sent.order_by("id"):
        at = delivery.created_at + timedelta(seconds=1)
        is_dead = scene.happens(0.1)
        Delivery.objects.filter(pk=delivery.pk).update(
            status=Status.DEAD if is_dead else Status.SUCCESS,
            due_at=None,
            attempts=5 if is_dead else 1,
            last_attempt_at=at,
            completed_at=at,
            last_error="HTTP 503: upstream is being restarted" if is_dead else None,
        )


def _as(agent: Agent) -> Actor:
    return Actor(type=ActorType.AGENT, id=agent.pk, label=agent.name)
