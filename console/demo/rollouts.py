"""A rollout under way, a paused one, one that is done, and one that waits for a person."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from agents.models import AgentOffer, StackReport
from agents.models.event import EventStatus
from agents.services.events import report_event
from agents.wanted.ties import serving_agents
from console.demo import samples
from console.demo.context import DemoContext
from core.events import Actor
from paks.actors import ActorType
from rollouts.counts import absent_agents
from rollouts.models import Rollout, RolloutMember
from rollouts.services.strategies import create_strategy, ensure_default_strategies, set_stack_strategy
from rollouts.services.ticking import tick
from rollouts.strategies import FailureBudget, OnFailure, Strategy, Wave, in_canary_order
from stacks.models import Stack
from stacks.services import lock_stack, publish

# Stacks of fewer agents show nothing of waves.
_MIN_AGENTS = 6
# So many of them, the first of each draw, are heard.
_HEARD = 4
_SOAK = timedelta(minutes=5)
CAREFUL = Strategy(
    "careful",
    (
        Wave("canary", count=1),
        Wave("a fifth", percent=20, max_failures=FailureBudget(percent=10)),
        Wave("production", labels=("prod",), needs_approval=True, checks=("smoke-test",)),
        Wave("rest"),
    ),
    on_failure=OnFailure.ROLL_BACK,
    approval_by_another=True,
)


def add_rollouts(context: DemoContext) -> None:
    """Each in a stack of its own, of those that most agents serve, and as far as its name says."""
    ensure_default_strategies(actor=context.actor)
    create_strategy(strategy=CAREFUL, actor=context.actor)
    stacks = _widest(context)
    for stack, (strategy, advance) in zip(
        stacks,
        (
            ("canary", _leave_under_way),
            ("canary", _leave_failing),
            ("careful", _leave_asking),
            ("canary", _finish),
        ),
        strict=False,
    ):
        set_stack_strategy(stack=lock_stack(stack.pk), name_or_id=strategy, reason="", actor=context.actor)
        generator, app = context.apps[stack]
        version = publish(
            stack_id=stack.pk,
            yaml_content=samples.manifest(context.chance, generator=generator, app=app, version="2.0.0"),
            is_deletion_marker=False,
            actor=Actor(type=ActorType.GENERATOR, id=stack.generator_id, label=generator),
        )
        rollout = Rollout.objects.get(version=version)
        _draw_again(context, rollout)
        advance(context, rollout)


def _widest(context: DemoContext) -> list[Stack]:
    live = set(Stack.objects.active().values_list("pk", flat=True))
    absent = absent_agents(context.now).values("pk")
    sizes = [
        (serving_agents(stack).exclude(pk__in=absent).count(), stack.name, stack)
        for stack in context.stacks
        if stack.pk in live and context.objects.get(stack)
    ]
    return [
        stack
        for size, _, stack in sorted(sizes, key=lambda each: each[:2], reverse=True)
        if size >= _MIN_AGENTS
    ]


def _draw_again(context: DemoContext, rollout: Rollout) -> None:
    """Let the first waves fall on agents that are heard: of silent ones alone no wave would be proven."""
    ids = list(serving_agents(rollout.stack).values_list("pk", flat=True))
    absent = set(absent_agents(context.now).values_list("pk", flat=True))
    draws = (UUID(int=context.chance.getrandbits(128)) for _ in iter(int, 1))
    chain_id = next(draw for draw in draws if absent.isdisjoint(in_canary_order(draw, ids)[:_HEARD]))
    Rollout.objects.filter(pk=rollout.pk).update(chain_id=chain_id)


def _leave_under_way(context: DemoContext, rollout: Rollout) -> None:
    """The canary has proven it, the next wave is soaking."""
    _prove(context, rollout)
    # Not ticked after it: what is reported has not been looked at.
    _report(context, rollout, _undecided(rollout)[::2], EventStatus.SUCCESS)


def _leave_failing(context: DemoContext, rollout: Rollout) -> None:
    """Two agents of a wave fail, which pauses it."""
    _prove(context, rollout)
    _prove(context, rollout)
    members = _undecided(rollout)
    _report(context, rollout, members[:2], EventStatus.FAILURE)
    _report(context, rollout, members[2:5], EventStatus.SUCCESS)
    tick(rollout_id=rollout.pk, now=context.now)


def _leave_asking(context: DemoContext, rollout: Rollout) -> None:
    """Somebody has to approve the third wave."""
    _prove(context, rollout)
    _prove(context, rollout)


def _finish(context: DemoContext, rollout: Rollout) -> None:
    for _ in rollout.strategy.waves:
        _prove(context, rollout)


def _prove(context: DemoContext, rollout: Rollout) -> None:
    """Release the wave that is due, and let all of it be good for the soak."""
    tick(rollout_id=rollout.pk, now=context.now)
    _report(context, rollout, _undecided(rollout), EventStatus.SUCCESS)
    tick(rollout_id=rollout.pk, now=context.now)


def _undecided(rollout: Rollout) -> list[UUID]:
    rows = RolloutMember.objects.filter(rollout=rollout, is_deferred=False, proven_at__isnull=True)
    return list(rows.order_by("wave", "agent").values_list("agent_id", flat=True))


def _report(context: DemoContext, rollout: Rollout, agent_ids: Iterable[UUID], status: EventStatus) -> None:
    """What the agents say of the version, long enough ago to count as proof."""
    app = context.apps[rollout.stack][1]
    for agent_id in agent_ids:
        fails = status == EventStatus.FAILURE
        AgentOffer.objects.get_or_create(
            agent_id=agent_id, version=rollout.version, defaults={"stack": rollout.stack}
        )
        report_event(
            agent_id=agent_id,
            deployment_object_id=rollout.version.id,
            event_type="DEPLOY",
            status=status,
            message=samples.FAILURES[0].format(app=app, version="2.0.0") if fails else None,
            actor=Actor(type=ActorType.AGENT, id=agent_id),
        )
        reports = StackReport.objects.filter(agent=agent_id, stack=rollout.stack_id)
        reports.update(since=context.now - 2 * _SOAK)
