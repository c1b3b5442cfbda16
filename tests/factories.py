"""Rows for tests, made through the services, so that they are always rows the product could have made."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from agents.models import Agent, AgentEvent, AgentTarget, Registration
from agents.models.event import EventStatus
from agents.services.agents import create_agent, lock_agent, record_heartbeat, update_agent
from agents.services.events import report_event
from agents.services.registrations import register_agent
from agents.services.targets import add_target
from core.events import SYSTEM, Actor, Event
from core.labels.services import add_annotation, add_label
from diagnostics.models import DiagnosticRequest, DiagnosticResult
from diagnostics.services import claim_diagnostic, request_diagnostic, submit_result
from generators.models import Generator
from generators.services import create_generator
from health.models import DeploymentHealth
from health.services import HealthReport, report_health
from paks.actors import ActorType
from paks.models import Pak, Role
from paks.services import issue_pak
from stacks.models import DeploymentObject, Stack
from stacks.services import create_stack, publish
from templates_app.models import StackTemplate
from templates_app.services import create_template, draft, publish_rendering, render_for
from tests.support.api import Api
from webhooks.models import Delivery, Subscription
from webhooks.services.deliveries import claim_for_agent
from webhooks.services.outbox import write_deliveries
from webhooks.services.subscriptions import create_subscription
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.claims import claim_work_order, complete_work_order
from workorders.services.orders import create_work_order
from workorders.services.targeting import Targeting

_numbers = count(1)

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  greeting: hello
"""

BUILD = "apiVersion: shipwright.io/v1beta1\nkind: Build\nmetadata: {name: shop}\n"

TEMPLATE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ name }}\n"


def manifest(word: object) -> str:
    """A manifest that is another for another word, a line of its own, the last."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata:\n  word: '{word}'\n"


def unique(word: str) -> str:
    """A name that no other call gives."""
    return f"{word}-{next(_numbers)}"


def make_generator(name: str | None = None, description: str | None = None) -> tuple[Generator, Api]:
    """A generator and the API as its key sees it."""
    generator, key = create_generator(name=name or unique("generator"), description=description, actor=SYSTEM)
    return generator, Api(key)


def make_admin_key(name: str = "ops", **options: Any) -> tuple[Pak, str]:
    """A key for administration and its text. The options are those of `issue_pak`."""
    return issue_pak(role=Role.ADMIN, subject_id=None, name=name, actor=SYSTEM, **options)


def make_stack(
    generator: Generator | None = None,
    *,
    name: str | None = None,
    labels: Iterable[str] = (),
    annotations: Mapping[str, str] | None = None,
) -> Stack:
    owner = generator or make_generator()[0]
    stack = create_stack(name=name or unique("stack"), description=None, generator_id=owner.id, actor=SYSTEM)
    _label(stack, labels, annotations)
    return stack


def make_object(
    stack: Stack, yaml_content: str = MANIFEST, *, is_deletion_marker: bool = False
) -> DeploymentObject:
    return publish(
        stack_id=stack.id, yaml_content=yaml_content, is_deletion_marker=is_deletion_marker, actor=SYSTEM
    )


def make_agent(
    *,
    name: str | None = None,
    cluster_name: str = "test-cluster",
    active: bool = False,
    heard: bool = False,
    labels: Iterable[str] = (),
    annotations: Mapping[str, str] | None = None,
) -> tuple[Agent, Api]:
    """An agent and the API as its key sees it. `heard`: it has sent a heartbeat."""
    agent, key = create_agent(name=name or unique("agent"), cluster_name=cluster_name, actor=SYSTEM)
    if active:
        with transaction.atomic():
            agent = update_agent(agent=lock_agent(agent.id), changes={"status": "ACTIVE"}, actor=SYSTEM)
    if heard:
        record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    _label(agent, labels, annotations)
    return agent, Api(key)


def make_target(agent: Agent, stack: Stack) -> AgentTarget:
    return add_target(agent=agent, stack=stack, actor=SYSTEM)


def make_registration(agent: Agent, generator: Generator) -> Registration:
    return register_agent(agent_id=agent.id, generator=generator, actor=SYSTEM)


def make_event(
    agent: Agent, obj: DeploymentObject, status: str = "SUCCESS", message: str | None = None
) -> AgentEvent:
    return report_event(
        agent_id=agent.id,
        deployment_object_id=UUID(str(obj.id)),
        event_type="DEPLOY",
        status=EventStatus(status),
        message=message,
        actor=SYSTEM,
    )


def make_health(
    agent: Agent,
    obj: DeploymentObject,
    status: str = "healthy",
    *,
    summary: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> DeploymentHealth:
    at = now or timezone.now()
    report = HealthReport(UUID(str(obj.id)), status, at, summary)
    report_health(agent_id=agent.id, reports=[report], actor=SYSTEM, now=at)
    return DeploymentHealth.objects.get(agent=agent, deployment_object__id=obj.id)


def make_diagnostic(
    agent: Agent, obj: DeploymentObject, *, retention_minutes: int = 60, now: datetime | None = None
) -> DiagnosticRequest:
    """A pending request."""
    return request_diagnostic(
        deployment_object_id=UUID(str(obj.id)),
        agent_id=agent.id,
        requested_by=None,
        retention_minutes=retention_minutes,
        actor=SYSTEM,
        now=now or timezone.now(),
    )


def make_claimed_diagnostic(
    agent: Agent, obj: DeploymentObject, *, now: datetime | None = None, **fields: Any
) -> DiagnosticRequest:
    request = make_diagnostic(agent, obj, now=now, **fields)
    return claim_diagnostic(diagnostic_id=request.id, actor=SYSTEM, now=now or timezone.now())


def make_diagnostic_result(
    agent: Agent, obj: DeploymentObject, *, now: datetime | None = None, **fields: Any
) -> DiagnosticResult:
    """The result of a request of its own."""
    request = make_claimed_diagnostic(agent, obj, now=now, **fields)
    return submit_result(
        diagnostic_id=request.id,
        pod_statuses="[]",
        events="[]",
        log_tails=None,
        collected_at=now or timezone.now(),
        actor=SYSTEM,
        now=now or timezone.now(),
    )


def make_template(
    generator: Generator | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    content: str = TEMPLATE,
    schema: str = "{}",
    labels: Iterable[str] = (),
    annotations: Mapping[str, str] | None = None,
) -> StackTemplate:
    """The next version of a template, the system's when no generator is given."""
    template = create_template(
        generator_id=None if generator is None else generator.id,
        name=name or unique("template"),
        draft=draft(description=description, template_content=content, parameters_schema=schema),
        actor=SYSTEM,
    )
    _label(template, labels, annotations)
    return template


def make_rendered(stack: Stack, template: StackTemplate, parameters: object) -> DeploymentObject:
    """A version of the stack that the template gave."""
    rendering = render_for(stack=stack, template=template, parameters=parameters)
    return publish_rendering(stack_id=stack.id, rendering=rendering, actor=SYSTEM)[0]


def _label(owner: Any, labels: Iterable[str], annotations: Mapping[str, str] | None) -> None:
    for label in labels:
        add_label(owner=owner, label=label, actor=SYSTEM)
    for key, value in (annotations or {}).items():
        add_annotation(owner=owner, key=key, value=value, actor=SYSTEM)


def make_work_order(
    *, targeting: Targeting | None = None, now: datetime | None = None, **fields: Any
) -> WorkOrder:
    """A pending order, by default for agents with the label `builder`."""
    given: dict[str, Any] = {"work_type": "build", "yaml_content": BUILD} | fields
    return create_work_order(
        **given, targeting=targeting or Targeting(labels=["builder"]), actor=SYSTEM, now=now or timezone.now()
    )


def make_claimed_work_order(agent: Agent, **fields: Any) -> WorkOrder:
    """An order for this agent alone, which holds it."""
    order = make_work_order(**({"targeting": Targeting([agent.id])} | fields))
    return claim_work_order(work_order_id=order.id, agent_id=agent.id, actor=SYSTEM, now=timezone.now())


def make_log_entry(
    agent: Agent, *, success: bool = True, message: str | None = "done", **fields: Any
) -> WorkOrderLogEntry:
    """How an order ended that this agent held."""
    order = make_claimed_work_order(agent, **fields)
    entry = complete_work_order(
        work_order_id=order.id,
        success=success,
        message=message,
        retryable=False,
        claim_token=order.claim_token,
        actor=Actor(type=ActorType.AGENT, id=agent.id),
        now=timezone.now(),
    )
    assert entry is not None, "it was final"
    return entry


def make_webhook(**fields: Any) -> Subscription:
    """A webhook for all events at an address that nobody may be sent to."""
    given: dict[str, Any] = {
        "name": unique("webhook"),
        "url": "http://127.0.0.1/hook",
        "event_types": ["*"],
    }
    return create_subscription(**given | fields, actor=SYSTEM)[0]


def make_notice(
    event_type: str = "stack.deleted", data: Mapping[str, object] | None = None, at: datetime | None = None
) -> Event:
    """Something that the world is told, and that webhooks have heard of."""
    kind: Any = event_type
    event = Event(
        kind=kind,
        resource_type="stack",
        resource_id=None,
        actor=SYSTEM,
        data={"stack_id": UUID(int=1)} if data is None else data,
        at=at or timezone.now(),
    )
    write_deliveries([event])
    return event


def make_delivery(webhook: Subscription, **notice: Any) -> Delivery:
    """A pending delivery to this webhook; others that listen get one too."""
    event = make_notice(**notice)
    return Delivery.objects.get(subscription=webhook, event_id=event.id)


def make_held_delivery(agent: Agent, labels: Iterable[str], **webhook: Any) -> Delivery:
    """A delivery that this agent, which carries the labels, has taken. Its webhook hears of nothing else."""
    data = {"stack_id": uuid4()}
    delivery = make_delivery(make_webhook(target_labels=list(labels), filters=data, **webhook), data=data)
    claims = claim_for_agent(agent_id=agent.id, now=timezone.now())
    return next(claim.delivery for claim in claims if claim.delivery == delivery)
