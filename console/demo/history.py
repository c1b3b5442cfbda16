"""The last month: versions, the agents' reports on them, templates and work orders.

No service can write the past, so versions, events, reports and the audit rows of publications are inserted as they
would have been written then.
"""

from datetime import datetime, timedelta
from uuid import UUID

from agents.models import Agent, AgentEvent, AgentHeartbeat, AgentOffer, StackReport
from agents.models.event import EventStatus
from agents.querysets import ACTIVE
from agents.wanted.ties import serving_agents
from audit.models import AuditLog
from console.demo import samples
from console.demo.context import HISTORY, DemoContext
from console.demo.timestamps import set_created_at
from core.events import Actor
from paks.actors import ActorType
from paks.models import Pak, Role
from stacks.manifests import checksum
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack, lock_stack
from templates_app.services import create_template, draft, publish_rendering, render_for
from workorders.services.claims import claim_work_order, complete_work_order
from workorders.services.orders import create_work_order
from workorders.services.targeting import Targeting

# How many of the newest versions of each stack have reports.
REPORTED_VERSIONS = 4
_BATCH = 500


def add_versions(context: DemoContext) -> None:
    """All stacks' versions in the order of their times, because that is the order of their numbers."""
    moments: list[tuple[datetime, Stack, int]] = []
    for stack in context.stacks:
        if context.happens(0.04):
            continue
        count = context.chance.randint(1, 2 * context.size.versions)
        # Most versions are recent.
        ages = sorted((min(context.chance.expovariate(4), 1.0) for _ in range(count)), reverse=True)
        moments += [(context.now - HISTORY * age, stack, number) for number, age in enumerate(ages, start=1)]
    objects = []
    for at, stack, number in sorted(moments, key=lambda moment: moment[0]):
        generator, app = context.apps[stack]
        text = samples.manifest(context.chance, generator=generator, app=app, version=f"1.{number}.0")
        obj = _version(stack, text, at)
        objects.append(obj)
        context.objects.setdefault(stack, []).append(obj)
    DeploymentObject.objects.bulk_create(objects, batch_size=_BATCH)
    context.progressed(0.7)
    keys = _keys_of_generators()
    AuditLog.objects.bulk_create((_publication(obj, keys) for obj in objects), batch_size=_BATCH)


def add_version(
    context: DemoContext, stack: Stack, text: str, at: datetime, *, by: str = "", reason: str = ""
) -> DeploymentObject:
    """Add a version that is younger than all others of its stack, published by its generator or by this person."""
    obj = _version(stack, text, at)
    obj.save(force_insert=True)
    context.objects.setdefault(stack, []).append(obj)
    entry = _publication(obj, _keys_of_generators())
    if by:
        entry.actor_type, entry.actor_label, entry.reason = ActorType.ADMIN.value, by, reason
        entry.actor_id = entry.key_id = entry.user_agent = None
    entry.save(force_insert=True)
    return obj


def _version(stack: Stack, text: str, at: datetime) -> DeploymentObject:
    return DeploymentObject(
        stack=stack,
        yaml_content=text,
        yaml_checksum=checksum(text),
        created_at=at,
        updated_at=at,
        submitted_at=at,
    )


def _keys_of_generators() -> dict[UUID | None, UUID]:
    return {pak.subject_id: pak.pk for pak in Pak.objects.usable().filter(role=Role.GENERATOR)}


def _publication(obj: DeploymentObject, keys: dict[UUID | None, UUID]) -> AuditLog:
    generator = obj.stack.generator
    return AuditLog(
        id=obj.id,
        timestamp=obj.created_at,
        created_at=obj.created_at,
        actor_type=ActorType.GENERATOR.value,
        actor_id=generator.pk,
        actor_label=generator.name,
        key_id=keys.get(generator.pk),
        action="deployment.created",
        resource_type="deployment_object",
        resource_id=obj.id,
        details={
            "stack_id": str(obj.stack_id),
            "sequence_id": obj.sequence_id,
            "yaml_checksum": obj.yaml_checksum,
            "is_deletion_marker": False,
        },
        ip_address="192.0.2.17",
        user_agent="brokkr-cli/0.9.1",
    )


def add_reports(context: DemoContext) -> None:
    """What active agents say of the newest versions, after each of them was offered."""
    events: list[AgentEvent] = []
    reports: list[StackReport] = []
    for number, stack in enumerate(context.stacks):
        versions = context.objects.get(stack, [])[-REPORTED_VERSIONS:]
        for agent in (
            serving_agents(stack).filter(status=ACTIVE).select_related("heartbeat") if versions else ()
        ):
            said = _words_of(context, agent, versions)
            events += said
            if said:
                reports.append(_last_word(said[-1]))
        context.progressed(number / len(context.stacks))
    AgentOffer.objects.bulk_create((_offer_before(event) for event in events), batch_size=_BATCH)
    AgentEvent.objects.bulk_create(events, batch_size=_BATCH)
    StackReport.objects.bulk_create(reports, batch_size=_BATCH)
    last = {event.agent_id: event.updated_at for event in sorted(events, key=lambda each: each.updated_at)}
    for agent_id, at in last.items():
        AgentHeartbeat.objects.filter(agent=agent_id).update(last_report_at=at)


def _offer_before(event: AgentEvent) -> AgentOffer:
    obj = event.deployment_object
    # Between the publication and the report.
    at = obj.created_at + (event.created_at - obj.created_at) / 2
    return AgentOffer(agent=event.agent, version=obj, stack=obj.stack, offered_at=at)


def _words_of(context: DemoContext, agent: Agent, versions: list[DeploymentObject]) -> list[AgentEvent]:
    heard = agent.heartbeat.last_heartbeat
    said = []
    for obj in versions:
        is_newest = obj is versions[-1]
        at = obj.created_at + timedelta(seconds=context.chance.randint(4, 90))
        # A silent agent reports nothing, and some agents are slow to apply the newest version.
        if heard is None or at > heard or (is_newest and context.happens(0.02)):
            continue
        fails = context.happens(0.02 if is_newest else 0.06)
        app = context.apps[obj.stack][1]
        times = context.chance.randint(2, 40) if fails else 1
        said.append(
            AgentEvent(
                agent=agent,
                deployment_object=obj,
                event_type="DEPLOY",
                status=EventStatus.FAILURE if fails else EventStatus.SUCCESS,
                message=samples.failure(context.chance, app=app, version=_image_tag(obj)) if fails else None,
                count=times,
                created_at=at,
                updated_at=min(at + timedelta(seconds=30 * (times - 1)), heard),
            )
        )
    return said


def _image_tag(obj: DeploymentObject) -> str:
    return obj.yaml_content.partition('version: "')[2].partition('"')[0]


def _last_word(event: AgentEvent) -> StackReport:
    return StackReport(
        agent=event.agent,
        stack=event.deployment_object.stack,
        sequence_id=event.deployment_object.sequence_id,
        status=event.status,
        message=event.message,
        since=event.created_at,
        reported_at=event.updated_at,
    )


def add_templates(context: DemoContext) -> None:
    made = []
    for name, text in samples.TEMPLATES.items():
        for version in (1, 2):
            content = text if version == 1 else f"# revision {version}\n{text}"
            said = draft(
                description=f"{name.replace('-', ' ')}, revision {version}",
                template_content=content,
                parameters_schema=samples.TEMPLATE_SCHEMA,
            )
            template = create_template(generator_id=None, name=name, draft=said, actor=context.actor)
            set_created_at(
                context, template, context.ago(hours=context.chance.uniform(24, 300) + (2 - version) * 300)
            )
            made.append(template)
    # A version published now is pending on every agent, so choose the stacks that the fewest agents serve.
    for stack in sorted(context.stacks, key=lambda stack: serving_agents(stack).count())[:3]:
        parameters = {"name": context.apps[stack][1], "version": "2.0.0"}
        rendering = render_for(stack=stack, template=made[1], parameters=parameters)
        publish_rendering(stack_id=stack.pk, rendering=rendering, actor=context.actor)


def add_work_orders(context: DemoContext) -> None:
    heard = {
        row.agent_id for row in AgentHeartbeat.objects.filter(last_heartbeat__gte=context.ago(minutes=1))
    }
    workers = [agent for agent in context.agents if agent.status == ACTIVE and agent.pk in heard]
    for number in range(context.size.work_orders if workers else 0):
        _order(context, context.chance.choice(workers))
        context.progressed(number / context.size.work_orders)


def _order(context: DemoContext, agent: Agent) -> None:
    kind, name, content = samples.work(context.chance)
    fate = context.chance.random()
    # Agents that are alive claim their orders within two minutes, and a claim lasts an hour.
    is_waiting, is_going_on = fate < 0.1, 0.1 <= fate < 0.2
    if is_waiting:
        made = context.ago(minutes=context.chance.uniform(0.1, 2))
    else:
        made = context.ago(hours=context.chance.uniform(0.1, 0.5 if is_going_on else 60))
    label = f"{context.environment()}-{context.chance.choice(samples.REGIONS)}"
    order = create_work_order(
        work_type=kind,
        yaml_content=content,
        targeting=Targeting(labels=[label]) if is_waiting else Targeting([agent.pk]),
        actor=context.actor,
        now=made,
    )
    context.orders.append(order.pk)
    if is_waiting:
        return
    worker = Actor(type=ActorType.AGENT, id=agent.pk, label=agent.name)
    begun = made + timedelta(seconds=20)
    order = claim_work_order(work_order_id=order.pk, agent_id=agent.pk, actor=worker, now=begun)
    if is_going_on:
        return
    is_done = fate < 0.8
    complete_work_order(
        work_order_id=order.pk,
        success=is_done,
        message=f"{name}: done" if is_done else context.chance.choice(samples.WORK_FAILURES[kind]),
        retryable=fate > 0.92,
        claim_token=order.claim_token,
        actor=worker,
        now=min(begun + timedelta(minutes=context.chance.randint(1, 20)), context.now),
    )


def delete_one(context: DemoContext) -> None:
    """One stack has just been deleted, and its agents have not removed it yet."""
    served = [stack for stack in context.stacks if context.objects.get(stack)]
    if served:
        delete_stack(stack=lock_stack(served[0].pk), actor=context.actor)
