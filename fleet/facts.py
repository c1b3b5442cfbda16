"""The facts about one agent and one stack, read in a fixed number of queries. explanation.py judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from agents.models import Agent, AgentEvent, MarkerDelivery, StackReport
from agents.target_state import state_of
from agents.wanted.ties import registered_generators, served_stacks, ties_of_agent
from agents.wanted.versions import held_stacks, wanted_object
from fleet.held_versions import HeldVersion, ReleasedWave, held_from, wave_of
from health.models import DeploymentHealth
from rollouts.coverage import freeze_of_stack
from rollouts.models import Freeze
from stacks.models import DeploymentObject, Stack
from stacks.secret_values import without_secrets


@dataclass(frozen=True, slots=True)
class Facts:
    """`wanted` is what the agent should have: of a live stack that it serves the newest version that is not held or is
    released to the agent, of any other the marker that the agent must still acknowledge. `is_offered` says whether the
    agent's target state contains it; `has_held`, whether any version of the live stack is held. `freeze` covers the
    stack. `held` is a newer version that the agent is not to have yet; `released`, the wave with which it got what it
    should have.
    """

    agent: Agent
    stack: Stack
    is_target: bool
    labels: Sequence[str]
    annotations: Mapping[str, str]
    is_registered: bool
    needs_registration: bool
    wanted: DeploymentObject | None
    has_held: bool
    freeze: Freeze | None
    held: HeldVersion | None
    released: ReleasedWave | None
    is_offered: bool
    mode: str
    report: StackReport | None
    event_type: str | None
    health: DeploymentHealth | None

    @property
    def is_removal_owed(self) -> bool:
        """Whether the agent must remove the stack, which lives on, because it serves it no longer."""
        return self.wanted is not None and self.wanted.recipient_id is not None

    @property
    def is_associated(self) -> bool:
        """Whether the agent is associated with the stack, by target, label or annotation, registered or not."""
        return self.is_target or bool(self.labels) or bool(self.annotations)


def gather(*, agent: Agent, stack: Stack, now: datetime) -> Facts:
    """The facts about a live agent and a stack, live or deleted. The agent's heartbeat must be loaded with it."""
    mode = settings.TARGET_STATE_DEFAULT
    ties = ties_of_agent(agent.pk).among([stack.pk])
    wanted = _wanted(agent, stack)
    report = _report(agent, stack)
    return Facts(
        agent=agent,
        stack=stack,
        is_target=ties.targets.exists(),
        labels=list(ties.labels.order_by("label").values_list("label", flat=True)),
        annotations=dict(ties.annotations.order_by("key").values_list("key", "value")),
        is_registered=registered_generators(agent.pk).filter(generator=stack.generator_id).exists(),
        needs_registration=settings.REQUIRE_REGISTRATION,
        wanted=wanted,
        has_held=bool(held_stacks([stack.pk])),
        freeze=freeze_of_stack(stack) if stack.deleted_at is None else None,
        held=held_from(agent, stack, wanted, now=now),
        released=wave_of(agent, wanted),
        is_offered=wanted is not None and wanted.id.hex in state_of(agent_id=agent.pk, mode=mode),
        mode=mode,
        report=report,
        event_type=_event_type(report),
        health=None
        if wanted is None
        else DeploymentHealth.objects.filter(agent=agent, deployment_object__id=wanted.id).first(),
    )


def _wanted(agent: Agent, stack: Stack) -> DeploymentObject | None:
    owed = MarkerDelivery.objects.filter(agent=agent, marker__stack=stack).select_related("marker")
    delivery = owed.defer("marker__yaml_content").first()
    if stack.deleted_at is not None:
        return None if delivery is None else delivery.marker
    # Serving the stack again withdraws the marker, also one that was written at the same moment.
    if delivery is not None and not served_stacks(agent.pk).filter(pk=stack.pk).exists():
        return delivery.marker
    return wanted_object(stack, agent)


def _report(agent: Agent, stack: Stack) -> StackReport | None:
    """The latest report, without values of Secrets in its message."""
    report = StackReport.objects.filter(agent=agent, stack=stack).first()
    if report is not None and report.message is not None:
        (report.message,) = without_secrets([(report.sequence_id, report.message)])
    return report


def _event_type(report: StackReport | None) -> str | None:
    """The event type of the last report; None when retention has deleted it."""
    if report is None:
        return None
    events = AgentEvent.objects.active().filter(
        agent=report.agent_id,
        deployment_object__stack=report.stack_id,
        deployment_object__sequence_id=report.sequence_id,
    )
    return events.order_by("-updated_at", "-id").values_list("event_type", flat=True).first()
