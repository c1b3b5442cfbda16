"""Tenants, agents and stacks, made by the services, and their ages, which are written over."""

from datetime import datetime, timedelta

from agents.models import Agent, AgentHeartbeat, Registration
from agents.services.agents import create_agent, lock_agent, update_agent
from agents.services.registrations import register_agent
from agents.services.targets import add_target
from console.demo import words
from console.demo.ages import born
from console.demo.scene import HISTORY, Scene
from core.labels.services import add_annotation, add_label
from generators.models import Generator
from generators.services import create_generator, lock_generator
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from stacks.models import Stack
from stacks.services import create_stack

# Tenants came first; agents and stacks in the thousand hours before the history begins.
_FIRST = HISTORY + timedelta(hours=1_100)


def add_generators(scene: Scene) -> None:
    for name in words.TENANTS:
        scene.generators[name], _ = create_generator(
            name=name, description=words.DESCRIPTIONS[name], actor=scene.actor
        )
        born(scene, scene.generators[name], scene.now - _FIRST - timedelta(hours=scene.chance.randrange(200)))
    issue_pak(role=Role.ADMIN, subject_id=None, name="terraform", actor=scene.actor)
    old, _ = issue_pak(role=Role.ADMIN, subject_id=None, name="bjorns-laptop", actor=scene.actor)
    revoke_pak(pak_id=old.pk, actor=scene.actor)
    used = scene.ago(minutes=50)
    # Not those of others, nor the first key of all.
    Pak.objects.usable().filter(created_at__gte=scene.now).update(last_used_at=used)
    Generator.objects.filter(name__in=words.TENANTS).update(last_active_at=used)


def add_agents(scene: Scene) -> None:
    per_cluster = len(words.REGIONS) * 3
    for number in range(scene.size.agents):
        region, environment = scene.chance.choice(words.REGIONS), scene.environment()
        cluster = f"{region}-{environment}-{number // per_cluster + 1:02}"
        agent, _ = create_agent(name=f"{cluster}-{number:03}", cluster_name=cluster, actor=scene.actor)
        for label in (environment, region, f"{environment}-{region}"):
            add_label(owner=agent, label=label, actor=scene.actor)
        add_annotation(owner=agent, key="tier", value=scene.chance.choice(words.TIERS), actor=scene.actor)
        born(scene, agent, _before_history(scene))
        # With the system's generator since then.
        Registration.objects.filter(agent=agent).update(registered_at=scene.born[agent.pk])
        for generator in scene.chance.sample(list(scene.generators.values()), 2):
            _register(scene, agent, generator)
        # A few wait for an operator.
        if not scene.happens(0.04):
            agent = update_agent(agent=lock_agent(agent.pk), changes={"status": "ACTIVE"}, actor=scene.actor)
        _beat(scene, agent)
        scene.agents.append(agent)
        scene.progressed(number / scene.size.agents)


def _register(scene: Scene, agent: Agent, generator: Generator) -> None:
    """At some time since there is the agent."""
    made = register_agent(agent_id=agent.pk, generator=lock_generator(generator.pk), actor=scene.actor)
    at = scene.between(scene.born[agent.pk], scene.ago(hours=1))
    Registration.objects.filter(pk=made.pk).update(registered_at=at)
    scene.moments["agent.registered", agent.pk, str(generator.pk)] = at


def _beat(scene: Scene, agent: Agent) -> None:
    """Most were heard a moment ago, some long ago, a few never."""
    fate = scene.chance.random()
    if fate < 0.03:
        return
    silence = scene.chance.choice((timedelta(minutes=12), timedelta(hours=7), timedelta(days=3)))
    at = scene.now - (silence if fate < 0.08 else timedelta(seconds=scene.chance.randrange(30)))
    is_reachable = not scene.happens(0.02)
    AgentHeartbeat.objects.filter(agent=agent).update(
        last_heartbeat=at,
        k8s_reachable=is_reachable,
        k8s_api_latency_ms=scene.chance.choice((3, 5, 8, 12, 21, 140)) if is_reachable else None,
        k8s_reported_at=at,
    )
    Pak.objects.filter(subject_id=agent.pk).update(last_used_at=at)


def add_stacks(scene: Scene) -> None:
    known = words.apps()
    for number in range(scene.size.stacks):
        tenant, app = known[number % len(known)]
        # More stacks than there are applications: copies with a number.
        app += f"-{number // len(known) + 1}" if number >= len(known) else ""
        stack = create_stack(
            name=f"{tenant}-{app}",
            description=f"{app} of {tenant}" if scene.happens(0.7) else None,
            generator_id=scene.generators[tenant].pk,
            actor=scene.actor,
        )
        born(scene, stack, _before_history(scene))
        _tie(scene, stack)
        scene.stacks.append(stack)
        scene.apps[stack] = (tenant, app)
        scene.progressed(number / scene.size.stacks)


def _tie(scene: Scene, stack: Stack) -> None:
    """Most go where their labels say, some to a tier, some to agents by name."""
    way = scene.chance.random()
    if way < 0.15:
        add_annotation(owner=stack, key="tier", value=scene.chance.choice(words.TIERS), actor=scene.actor)
    elif way < 0.25:
        for agent in scene.chance.sample(scene.agents, min(3, len(scene.agents))):
            add_target(agent=agent, stack=stack, actor=scene.actor)
    else:
        environment = scene.environment()
        for region in scene.chance.sample(words.REGIONS, scene.chance.choice((1, 2, 3))):
            add_label(owner=stack, label=f"{environment}-{region}", actor=scene.actor)
    add_annotation(owner=stack, key="team", value=stack.generator.name, actor=scene.actor)


def _before_history(scene: Scene) -> datetime:
    return scene.now - HISTORY - timedelta(hours=scene.chance.randrange(1_000))
