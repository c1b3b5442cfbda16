"""The last month: versions, what agents said of them, templates and work orders.

No service can write the past, so versions, events, reports and the audit rows of publications are inserted as they
would have been written then.
"""

from datetime import datetime, timedelta
from uuid import UUID

from agents.models import Agent, AgentEvent, AgentHeartbeat, StackReport
from agents.models.event import EventStatus
from agents.querysets import ACTIVE
from agents.wanted.ties import serving_agents
from audit.models import AuditLog
from console.demo import words
from console.demo.ages import born
from console.demo.scene import HISTORY, Scene
from core.events import Actor, ActorType
from paks.models import Pak, Role
from stacks.manifests import checksum
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack, lock_stack
from templates_app.services import create_template, draft, publish_rendering, render_for
from workorders.services import Targeting, claim_work_order, complete_work_order, create_work_order

# Of each stack's versions, so many of the newest have the agents' reports with them.
REPORTED_VERSIONS = 4
_BATCH = 500


def add_versions(scene: Scene) -> None:
    """All stacks' versions in the order of their times, because that is the order of their numbers."""
    moments: list[tuple[datetime, Stack, int]] = []
    for stack in scene.stacks:
        if scene.happens(0.04):
            continue
        count = scene.chance.randint(1, 2 * scene.size.versions)
        # Lately more often than long ago.
        ages = sorted((min(scene.chance.expovariate(4), 1.0) for _ in range(count)), reverse=True)
        moments += [(scene.now - HISTORY * age, stack, number) for number, age in enumerate(ages, start=1)]
    objects = []
    for at, stack, number in sorted(moments, key=lambda moment: moment[0]):
        tenant, app = scene.apps[stack]
        text = words.manifest(scene.chance, tenant=tenant, app=app, version=f"1.{number}.0")
        obj = DeploymentObject(
            stack=stack,
            yaml_content=text,
            yaml_checksum=checksum(text),
            created_at=at,
            updated_at=at,
            submitted_at=at,
        )
        objects.append(obj)
        scene.objects.setdefault(stack, []).append(obj)
    DeploymentObject.objects.bulk_create(objects, batch_size=_BATCH)
    scene.progressed(0.7)
    keys = {pak.subject_id: pak.pk for pak in Pak.objects.usable().filter(role=Role.GENERATOR)}
    AuditLog.objects.bulk_create((_publication(obj, keys) for obj in objects), batch_size=_BATCH)


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


def add_reports(scene: Scene) -> None:
    events: list[AgentEvent] = []
    reports: list[StackReport] = []
    for number, stack in enumerate(scene.stacks):
        versions = scene.objects.get(stack, [])[-REPORTED_VERSIONS:]
        for agent in (
            serving_agents(stack).filter(status=ACTIVE).select_related("heartbeat") if versions else ()
        ):
            said = _words_of(scene, agent, versions)
            events += said
            if said:
                reports.append(_last_word(said[-1]))
        scene.progressed(number / len(scene.stacks))
    AgentEvent.objects.bulk_create(events, batch_size=_BATCH)
    StackReport.objects.bulk_create(reports, batch_size=_BATCH)
    last = {event.agent_id: event.updated_at for event in sorted(events, key=lambda each: each.updated_at)}
    for agent_id, at in last.items():
        AgentHeartbeat.objects.filter(agent=agent_id).update(last_report_at=at)


def _words_of(scene: Scene, agent: Agent, versions: list[DeploymentObject]) -> list[AgentEvent]:
    heard = agent.heartbeat.last_heartbeat
    said = []
    for obj in versions:
        is_newest = obj is versions[-1]
        at = obj.created_at + timedelta(seconds=scene.chance.randint(4, 90))
        # Who is not heard says nothing; and now and then one is slow to apply the newest.
        if heard is None or at > heard or (is_newest and scene.happens(0.02)):
            continue
        fails = scene.happens(0.02 if is_newest else 0.06)
        app = scene.apps[obj.stack][1]
        times = scene.chance.randint(2, 40) if fails else 1
        said.append(
            AgentEvent(
                agent=agent,
                deployment_object=obj,
                event_type="DEPLOY",
                status=EventStatus.FAILURE if fails else EventStatus.SUCCESS,
                message=words.failure(scene.chance, app=app, version=_image_tag(obj)) if fails else None,
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


def add_templates(scene: Scene) -> None:
    made = []
    for name, text in words.TEMPLATES.items():
        for version in (1, 2):
            content = text if version == 1 else f"# revision {version}\n{text}"
            said = draft(
                description=f"{name.replace('-', ' ')}, revision {version}",
                template_content=content,
                parameters_schema=words.TEMPLATE_SCHEMA,
            )
            template = create_template(generator_id=None, name=name, draft=said, actor=scene.actor)
            born(scene, template, scene.ago(hours=scene.chance.uniform(24, 300) + (2 - version) * 300))
            made.append(template)
    # What is published now is pending everywhere: not the stacks of half the fleet.
    for stack in sorted(scene.stacks, key=lambda stack: serving_agents(stack).count())[:3]:
        parameters = {"name": scene.apps[stack][1], "version": "2.0.0"}
        rendering = render_for(stack=stack, template=made[1], parameters=parameters)
        publish_rendering(stack_id=stack.pk, rendering=rendering, actor=scene.actor)


def add_work_orders(scene: Scene) -> None:
    heard = {row.agent_id for row in AgentHeartbeat.objects.filter(last_heartbeat__gte=scene.ago(minutes=1))}
    workers = [agent for agent in scene.agents if agent.status == ACTIVE and agent.pk in heard]
    for number in range(scene.size.work_orders if workers else 0):
        _order(scene, scene.chance.choice(workers))
        scene.progressed(number / scene.size.work_orders)


def _order(scene: Scene, agent: Agent) -> None:
    kind, name, content = words.work(scene.chance)
    fate = scene.chance.random()
    # Agents that are heard take what is theirs within a minute or two, and claims last an hour.
    is_waiting, is_going_on = fate < 0.1, 0.1 <= fate < 0.2
    if is_waiting:
        made = scene.ago(minutes=scene.chance.uniform(0.1, 2))
    else:
        made = scene.ago(hours=scene.chance.uniform(0.1, 0.5 if is_going_on else 60))
    label = f"{scene.environment()}-{scene.chance.choice(words.REGIONS)}"
    order = create_work_order(
        work_type=kind,
        yaml_content=content,
        targeting=Targeting(labels=[label]) if is_waiting else Targeting([agent.pk]),
        actor=scene.actor,
        now=made,
    )
    scene.orders.append(order.pk)
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
        message=f"{name}: done" if is_done else scene.chance.choice(words.WORK_FAILURES[kind]),
        retryable=fate > 0.92,
        claim_token=order.claim_token,
        actor=worker,
        now=min(begun + timedelta(minutes=scene.chance.randint(1, 20)), scene.now),
    )


def delete_one(scene: Scene) -> None:
    """One stack has just been deleted, and its agents have not removed it yet."""
    served = [stack for stack in scene.stacks if scene.objects.get(stack)]
    if served:
        delete_stack(stack=lock_stack(served[0].pk), actor=scene.actor)
