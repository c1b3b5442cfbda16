"""Two rollouts that are over: one went well, one was rolled back. Their rows are written as they would have been."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet
from uuid_utils.compat import uuid7

from agents.models import Agent, AgentEvent, AgentOffer, HoldHistory, StackReport, VersionHold, VersionRelease
from agents.models.event import EventStatus
from agents.models.hold import HoldReason
from agents.querysets import ACTIVE
from agents.wanted.ties import serving_agents
from audit.models import AuditLog
from console.demo import samples
from console.demo.context import DemoContext
from console.demo.history import add_version
from core.events import SYSTEM
from health.models import HealthChange, HealthStatus
from paks.actors import ActorType
from rollouts.counts import absent_agents
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import RolledBackContent, Rollout, RolloutMember, RolloutState, RolloutWave
from rollouts.services.rolled_back_contents import forbid_content
from rollouts.strategies import DEFAULTS, Strategy, members_of, strategy_to_json
from stacks.models import DeploymentObject, Stack

# A story needs some time since the stack's newest version, and agents for more than one wave.
_LONG = timedelta(hours=3)
_MIN_AGENTS = 3
_WAVE = timedelta(minutes=20)
_REASON = "checkout fails for every tenth customer"


@dataclass
class _Story:
    """A rollout of the past, as it is told: `at` is how far it has come. `begin` makes `rollout`."""

    context: DemoContext
    stack: Stack
    strategy: Strategy
    agents: dict[UUID, Agent]
    at: datetime
    rollout: Rollout = field(init=False)

    def begin(self, version: DeploymentObject, previous: DeploymentObject) -> None:
        owner = self.stack.generator
        self.rollout = Rollout.objects.create(
            created_at=self.at,
            stack=self.stack,
            version=version,
            previous=previous,
            strategy_name=self.strategy.name,
            definition=strategy_to_json(self.strategy),
            state=RolloutState.PROGRESSING,
            started_at=self.at,
            publisher_role=ActorType.GENERATOR.value,
            publisher_id=owner.pk,
            publisher_label=owner.name,
        )
        RolloutWave.objects.bulk_create(
            RolloutWave(rollout=self.rollout, number=number)
            for number in range(1, len(self.strategy.waves) + 1)
        )
        self.note(RolloutEventKind.ROLLOUT_STARTED)
        self.at += timedelta(seconds=2)
        # What the agents observed of the version before, they observed before.
        for agent_id in self.agents:
            observed = ("health.changed", previous.id, str(agent_id))
            if self.context.moments.get(observed, self.at) > self.at:
                begun = previous.created_at + timedelta(minutes=2)
                self.context.moments[observed] = self.context.between(begun, self.at)

    def wave(self, number: int, *, fails: bool = False) -> Sequence[Agent]:
        """Release a wave, and let its members apply the version, or fail to. Returns them."""
        taken = RolloutMember.objects.filter(rollout=self.rollout).values_list("agent_id", flat=True)
        left = self.agents.keys() - set(taken)
        wave = self.strategy.wave(number)
        chosen = members_of(wave, chain_id=self.rollout.chain_id, matched=left)
        members = [self.agents[agent_id] for agent_id in chosen]
        proven_at = None if fails else self.at + _WAVE / 2
        self._waves(number).update(
            released_at=self.at, running_since=self.at, matched=len(left), proven_at=proven_at
        )
        RolloutMember.objects.bulk_create(
            RolloutMember(rollout=self.rollout, agent=agent, wave=number, proven_at=proven_at)
            for agent in members
        )
        self.release(self.rollout.version, members)
        self.note(RolloutEventKind.ROLLOUT_WAVE_RELEASED, wave=number, name=wave.name, members=len(members))
        self.apply(self.rollout.version, members, EventStatus.FAILURE if fails else EventStatus.SUCCESS)
        if proven_at:
            self.at = proven_at
            self.note(RolloutEventKind.ROLLOUT_WAVE_PROVEN, wave=number, name=wave.name)
        self.at += _WAVE / 2
        return members

    def _waves(self, number: int) -> QuerySet[RolloutWave]:
        return RolloutWave.objects.filter(rollout=self.rollout, number=number)

    def release(self, version: DeploymentObject, agents: Sequence[Agent]) -> None:
        VersionRelease.objects.bulk_create(
            VersionRelease(version=version, agent=agent, created_at=self.at) for agent in agents
        )

    def apply(self, version: DeploymentObject, agents: Sequence[Agent], status: EventStatus) -> None:
        """The agents are offered the version, and report on it."""
        offered, said = self.at + timedelta(seconds=9), self.at + timedelta(seconds=31)
        app = self.context.apps[self.stack][1]
        fails = status == EventStatus.FAILURE
        message = samples.FAILURES[2].format(app=app, version="") if fails else None
        AgentOffer.objects.bulk_create(
            AgentOffer(agent=agent, version=version, stack=self.stack, offered_at=offered) for agent in agents
        )
        AgentEvent.objects.bulk_create(
            AgentEvent(
                agent=agent,
                deployment_object=version,
                event_type="DEPLOY",
                status=status,
                message=message,
                created_at=said,
                updated_at=said,
            )
            for agent in agents
        )
        health = HealthStatus.FAILING if fails else HealthStatus.HEALTHY
        HealthChange.objects.bulk_create(
            HealthChange(
                agent_id=agent.pk,
                deployment_object_id=version.id,
                status=health,
                at=said + timedelta(seconds=self.context.chance.randint(20, 90)),
            )
            for agent in agents
        )
        for agent in agents:
            StackReport.objects.update_or_create(
                agent=agent,
                stack=self.stack,
                defaults={
                    "sequence_id": version.pk,
                    "status": status,
                    "message": message,
                    "since": said,
                    "reported_at": said,
                },
            )

    def note(self, kind: RolloutEventKind, *, who: str = "", reason: str = "", **details: object) -> None:
        """The entry of the audit log."""
        AuditLog.objects.create(
            id=uuid7(),
            timestamp=self.at,
            created_at=self.at,
            actor_type=ActorType.ADMIN.value if who else SYSTEM.type,
            actor_label=who,
            action=kind.value,
            resource_type=Rollout.NOUN,
            resource_id=self.rollout.pk,
            details={"stack_id": str(self.stack.pk), "sequence_id": self.rollout.version_id, **details},
            reason=reason,
            ip_address="192.0.2.40" if who else None,
        )

    def end(self, state: RolloutState, **fields: object) -> None:
        Rollout.objects.filter(pk=self.rollout.pk).update(state=state, state_since=self.at, **fields)


def add_past_rollouts(context: DemoContext) -> None:
    """Each in a stack of its own, of those that have been quiet for some hours."""
    absent = absent_agents(context.now).values("pk")
    busy = set(Rollout.objects.values_list("stack", flat=True))
    stories = []
    for stack in (
        Stack.objects.active().filter(pk__in=[stack.pk for stack in context.stacks]).order_by("name")
    ):
        versions = context.objects.get(stack)
        agents = serving_agents(stack).filter(status=ACTIVE).exclude(pk__in=absent).in_bulk()
        if stack.pk in busy or not versions or len(agents) < _MIN_AGENTS:
            continue
        newest = versions[-1].created_at
        if context.now - newest > _LONG:
            begun = newest + (context.now - newest) / 3
            stories.append(_Story(context, stack, DEFAULTS[0], dict(agents), begun))
    stories.sort(key=lambda story: len(story.agents), reverse=True)
    for tell, story in zip((_went_well, _was_rolled_back), stories, strict=False):
        tell(story)


def _went_well(story: _Story) -> None:
    previous, version = _publish(story)
    story.begin(version, previous)
    begun = story.at
    for number in range(1, len(story.strategy.waves) + 1):
        story.wave(number)
    HoldHistory.objects.create(
        id=uuid7(),
        version_id=version.pk,
        reason=HoldReason.ROLLOUT,
        added_at=begun,
        removed_at=story.at,
        removed_in=AuditLog.objects.aggregate(number=Max("transaction_number"))["number"],
    )
    story.note(RolloutEventKind.ROLLOUT_SUCCEEDED)
    last = len(story.strategy.waves)
    story.end(RolloutState.SUCCEEDED, wave=last, unheld_at=story.at)


def _was_rolled_back(story: _Story) -> None:
    previous, version = _publish(story)
    story.begin(version, previous)
    VersionHold.objects.create(version=version, reason=HoldReason.ROLLOUT, created_at=story.at)
    changed = [*story.wave(1), *story.wave(2, fails=True)]
    who = story.context.chance.choice(samples.PEOPLE)
    again = add_version(story.context, story.stack, previous.yaml_content, story.at, by=who, reason=_REASON)
    VersionHold.objects.create(version=again, reason=HoldReason.ROLLBACK, created_at=story.at)
    story.release(again, changed)
    forbid_content(version=version)
    RolledBackContent.objects.filter(stack=story.stack).update(created_at=story.at)
    story.note(RolloutEventKind.ROLLOUT_ROLLED_BACK, who=who, reason=_REASON, rollback_sequence_id=again.pk)
    story.end(RolloutState.ROLLED_BACK, wave=2, reason=_REASON, changed_by=who)
    story.apply(again, changed, EventStatus.SUCCESS)


def _publish(story: _Story) -> tuple[DeploymentObject, DeploymentObject]:
    """The stack's newest version, and one that follows it."""
    context, stack = story.context, story.stack
    generator, app = context.apps[stack]
    previous = context.objects[stack][-1]
    text = samples.manifest(context.chance, generator=generator, app=app, version="1.99.0")
    return previous, add_version(context, stack, text, story.at)
