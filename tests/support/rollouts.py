"""A stack with its agents, for tests of which version reaches which agent, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import Agent
from agents.wanted.versions import wanted_object
from core.events import Actor
from generators.models import Generator
from paks.actors import ActorType
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.services.freezes import begin_freeze, lift_freeze
from rollouts.services.strategies import create_strategy, set_stack_strategy
from rollouts.services.ticking import tick
from rollouts.strategies import Strategy, Wave
from stacks.models import DeploymentObject, Stack
from stacks.services import PublishOptions, lock_stack, publish
from tests.factories import make_agent, make_event, make_stack, manifest, unique

ADMIN = Actor(type=ActorType.ADMIN, label="astrid")
SOAK = timedelta(seconds=60)


def wave(name: str = "rest", **rules: Any) -> Wave:
    """A wave with a soak of one minute."""
    return Wave(name, **{"soak_seconds": int(SOAK.total_seconds())} | rules)


CANARY_AND_REST = (wave("canary", count=1), wave())


def make_strategy(*waves: Wave, **rules: Any) -> Strategy:
    """A stored strategy; by default one canary, then the rest."""
    strategy = Strategy(unique("strategy"), waves or CANARY_AND_REST, **rules)
    create_strategy(strategy=strategy, actor=ADMIN)
    return strategy


def give_strategy(stack: Stack, strategy: Strategy) -> None:
    with transaction.atomic():
        set_stack_strategy(stack=lock_stack(stack.pk), name_or_id=strategy.name, reason="a test", actor=ADMIN)


@dataclass
class Scene:
    """A stack whose first version all agents have, and which got a strategy after it."""

    stack: Stack
    agents: list[Agent]
    first: DeploymentObject
    # How far the clock of the scene is ahead of the real time.
    ahead: timedelta = field(default_factory=timedelta)

    @property
    def now(self) -> datetime:
        return timezone.now() + self.ahead

    def publish(
        self, content: str = "a: 2", *, actor: Actor = ADMIN, options: PublishOptions | None = None
    ) -> DeploymentObject:
        return publish(
            stack_id=self.stack.pk,
            yaml_content=_text(content),
            is_deletion_marker=False,
            actor=actor,
            options=options or PublishOptions(),
        )

    def start(self, content: str = "a: 2", **options: Any) -> Rollout:
        """Publish a version, and let the worker release the first wave."""
        version = self.publish(content, **options)
        rollout = Rollout.objects.get(version=version)
        self.tick(rollout)
        return self.again(rollout)

    def tick(self, rollout: Rollout, *, after: timedelta = timedelta(0)) -> Rollout:
        """Let time pass and let the worker look. Returns the rollout after that."""
        self.ahead += after
        tick(rollout_id=rollout.pk, now=self.now)
        return self.again(rollout)

    def again(self, rollout: Rollout) -> Rollout:
        return Rollout.objects.select_related("version", "stack", "previous").get(pk=rollout.pk)

    def wanted(self) -> dict[str, int | None]:
        """By the agent's name, the version that it should have."""
        found = {agent.name: wanted_object(self.stack, agent) for agent in self.agents}
        return {name: version.pk if version is not None else None for name, version in found.items()}

    def holders(self, version: DeploymentObject) -> list[Agent]:
        """The agents that should have the version."""
        wanted = self.wanted()
        return [agent for agent in self.agents if wanted[agent.name] == version.pk]

    def report(self, agents: Iterable[Agent], version: DeploymentObject, status: str = "SUCCESS") -> None:
        for agent in agents:
            make_event(agent, version, status, "no such image" if status == "FAILURE" else None)

    def prove(self, rollout: Rollout) -> Rollout:
        """All agents that should have the version apply it and stay healthy for the soak."""
        self.report(self.holders(rollout.version), rollout.version)
        return self.tick(rollout, after=SOAK)


def make_scene(
    *waves: Wave,
    agents: int = 4,
    first: str = "a: 1",
    generator: Generator | None = None,
    **rules: Any,
) -> Scene:
    """Agents that serve one stack by a label. The stack has the strategy that the arguments say."""
    stack = make_stack(generator, labels=["app"])
    made = [make_agent(active=True, labels=["app"])[0] for _ in range(agents)]
    version = publish(stack_id=stack.pk, yaml_content=_text(first), is_deletion_marker=False, actor=ADMIN)
    give_strategy(stack, make_strategy(*waves, **rules))
    return Scene(stack, made, version)


def make_past_freeze(generator: Generator) -> Freeze:
    """A freeze of the generator's stacks that is over."""
    freeze = begin_freeze(
        scope=Freeze.Scope.GENERATOR,
        generator_id=generator.pk,
        reason="a holiday",
        actor=ADMIN,
        now=timezone.now(),
    )
    return lift_freeze(freeze_id=freeze.pk, actor=ADMIN, now=timezone.now())


def _text(content: str) -> str:
    """The content if it has several lines, else a manifest that contains it as a word."""
    return content if "\n" in content else manifest(content)


def state_of(rollout: Rollout) -> RolloutState:
    return RolloutState(Rollout.objects.get(pk=rollout.pk).state)
