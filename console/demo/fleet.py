"""Generators, agents and stacks. The services make them; then they are dated back."""

from datetime import datetime, timedelta

from agents.models import Agent, AgentHeartbeat, Registration
from agents.services.agents import create_agent, lock_agent, update_agent
from agents.services.registrations import register_agent
from agents.services.targets import add_target
from console.demo import samples
from console.demo.context import HISTORY, DemoContext
from console.demo.timestamps import set_created_at
from core.labels.services import add_annotation, add_label
from generators.models import Generator
from generators.services import create_generator, lock_generator
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from stacks.models import Stack
from stacks.services import create_stack

# Generators came first; agents and stacks in the thousand hours before the history begins.
_FIRST = HISTORY + timedelta(hours=1_100)


def add_generators(context: DemoContext) -> None:
    for name in samples.GENERATORS:
        context.generators[name], _ = create_generator(
            name=name, description=samples.DESCRIPTIONS[name], actor=context.actor
        )
        set_created_at(
            context,
            context.generators[name],
            context.now - _FIRST - timedelta(hours=context.chance.randrange(200)),
        )
    issue_pak(role=Role.ADMIN, subject_id=None, name="terraform", actor=context.actor)
    old, _ = issue_pak(role=Role.ADMIN, subject_id=None, name="bjorns-laptop", actor=context.actor)
    revoke_pak(pak_id=old.pk, actor=context.actor)
    used = context.ago(minutes=50)
    # Only the keys made here: not the first admin key, nor keys of other generators.
    Pak.objects.usable().filter(created_at__gte=context.now).update(last_used_at=used)
    Generator.objects.filter(name__in=samples.GENERATORS).update(last_active_at=used)


def add_agents(context: DemoContext) -> None:
    per_cluster = len(samples.REGIONS) * 3
    for number in range(context.size.agents):
        region, environment = context.chance.choice(samples.REGIONS), context.environment()
        cluster = f"{region}-{environment}-{number // per_cluster + 1:02}"
        agent, _ = create_agent(name=f"{cluster}-{number:03}", cluster_name=cluster, actor=context.actor)
        for label in (environment, region, f"{environment}-{region}"):
            add_label(owner=agent, label=label, actor=context.actor)
        add_annotation(
            owner=agent, key="tier", value=context.chance.choice(samples.TIERS), actor=context.actor
        )
        set_created_at(context, agent, _before_history(context))
        # The registration with the system generator is as old as the agent.
        Registration.objects.filter(agent=agent).update(registered_at=context.created_at_by_id[agent.pk])
        for generator in context.chance.sample(list(context.generators.values()), 2):
            _register(context, agent, generator)
        # A few wait for an operator.
        if not context.happens(0.04):
            agent = update_agent(
                agent=lock_agent(agent.pk), changes={"status": "ACTIVE"}, actor=context.actor
            )
        _beat(context, agent)
        context.agents.append(agent)
        context.progressed(number / context.size.agents)


def _register(context: DemoContext, agent: Agent, generator: Generator) -> None:
    """Register the agent, at some time after it was created."""
    made = register_agent(agent_id=agent.pk, generator=lock_generator(generator.pk), actor=context.actor)
    at = context.between(context.created_at_by_id[agent.pk], context.ago(hours=1))
    Registration.objects.filter(pk=made.pk).update(registered_at=at)
    context.moments["agent.registered", agent.pk, str(generator.pk)] = at


def _beat(context: DemoContext, agent: Agent) -> None:
    """Set the last heartbeat: for most agents a moment ago, for some long ago, for a few never."""
    fate = context.chance.random()
    if fate < 0.03:
        return
    silence = context.chance.choice((timedelta(minutes=12), timedelta(hours=7), timedelta(days=3)))
    at = context.now - (silence if fate < 0.08 else timedelta(seconds=context.chance.randrange(30)))
    is_reachable = not context.happens(0.02)
    AgentHeartbeat.objects.filter(agent=agent).update(
        last_heartbeat=at,
        k8s_reachable=is_reachable,
        k8s_api_latency_ms=context.chance.choice((3, 5, 8, 12, 21, 140)) if is_reachable else None,
        k8s_reported_at=at,
    )
    Pak.objects.filter(subject_id=agent.pk).update(last_used_at=at)


def add_stacks(context: DemoContext) -> None:
    known = samples.apps()
    for number in range(context.size.stacks):
        generator, app = known[number % len(known)]
        # When there are more stacks than applications, further copies get a number.
        app += f"-{number // len(known) + 1}" if number >= len(known) else ""
        stack = create_stack(
            name=f"{generator}-{app}",
            description=f"{app} of {generator}" if context.happens(0.7) else None,
            generator_id=context.generators[generator].pk,
            actor=context.actor,
        )
        set_created_at(context, stack, _before_history(context))
        _associate(context, stack)
        context.stacks.append(stack)
        context.apps[stack] = (generator, app)
        context.progressed(number / context.size.stacks)


def _associate(context: DemoContext, stack: Stack) -> None:
    """Associate most stacks by labels, some by an annotation, some by explicit targets."""
    way = context.chance.random()
    if way < 0.15:
        add_annotation(
            owner=stack, key="tier", value=context.chance.choice(samples.TIERS), actor=context.actor
        )
    elif way < 0.25:
        for agent in context.chance.sample(context.agents, min(3, len(context.agents))):
            add_target(agent=agent, stack=stack, actor=context.actor)
    else:
        environment = context.environment()
        for region in context.chance.sample(samples.REGIONS, context.chance.choice((1, 2, 3))):
            add_label(owner=stack, label=f"{environment}-{region}", actor=context.actor)
    add_annotation(owner=stack, key="team", value=stack.generator.name, actor=context.actor)


def _before_history(context: DemoContext) -> datetime:
    return context.now - HISTORY - timedelta(hours=context.chance.randrange(1_000))
