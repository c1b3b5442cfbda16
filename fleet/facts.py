"""The facts about one agent and one stack, read in a fixed number of queries. explanation.py judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from agents.models import Agent, AgentEvent, MarkerDelivery, StackReport
from agents.target_state import state_of
from agents.wanted.ties import registered_generators, ties_of_agent
from agents.wanted.versions import held_stacks, wanted_object
from health.models import DeploymentHealth
from stacks.models import DeploymentObject, Stack


@dataclass(frozen=True, slots=True)
class Facts:
    """`wanted` is what the agent should have: of a live stack the newest version that is not held or is released to the
    agent, of a deleted stack the marker that the agent must still acknowledge. `is_offered` says whether the agent's
    target state contains it; `has_held`, whether any version of the live stack is held.
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
    is_offered: bool
    mode: str
    report: StackReport | None
    event_type: str | None
    health: DeploymentHealth | None

    @property
    def is_associated(self) -> bool:
        """Whether the agent is associated with the stack, by target, label or annotation, registered or not."""
        return self.is_target or bool(self.labels) or bool(self.annotations)


def gather(*, agent: Agent, stack: Stack) -> Facts:
    """The facts about a live agent and a stack, live or deleted. The agent's heartbeat must be loaded with it."""
    mode = settings.TARGET_STATE_DEFAULT
    ties = ties_of_agent(agent.pk).among([stack.pk])
    wanted = _wanted(agent, stack)
    report = StackReport.objects.filter(agent=agent, stack=stack).first()
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
        is_offered=wanted is not None and wanted.id.hex in state_of(agent_id=agent.pk, mode=mode),
        mode=mode,
        report=report,
        event_type=_event_type(report),
        health=None
        if wanted is None
        else DeploymentHealth.objects.filter(agent=agent, deployment_object__id=wanted.id).first(),
    )


def _wanted(agent: Agent, stack: Stack) -> DeploymentObject | None:
    if stack.deleted_at is None:
        return wanted_object(stack, agent)
    owed = MarkerDelivery.objects.filter(agent=agent, marker__stack=stack).select_related("marker")
    delivery = owed.defer("marker__yaml_content").first()
    return None if delivery is None else delivery.marker


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
