"""The facts about one agent and one stack, read in a fixed number of queries. explanation.py judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef

from agents.models import (
    Agent,
    AgentAnnotation,
    AgentEvent,
    AgentLabel,
    AgentTarget,
    MarkerDelivery,
    Registration,
    StackReport,
)
from agents.targeting import target_state
from health.models import DeploymentHealth
from stacks.models import DeploymentObject, Stack, StackAnnotation, StackLabel


@dataclass(frozen=True, slots=True)
class Facts:
    """`wanted` is what the agent should have: the newest version of a live stack, or the marker of a deleted stack that
    the agent must still acknowledge. `is_offered` says whether the agent's target state contains it.
    """

    agent: Agent
    stack: Stack
    is_target: bool
    labels: Sequence[str]
    annotations: Mapping[str, str]
    is_registered: bool
    needs_registration: bool
    wanted: DeploymentObject | None
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
    wanted = _wanted(agent, stack)
    report = StackReport.objects.filter(agent=agent, stack=stack).first()
    return Facts(
        agent=agent,
        stack=stack,
        is_target=AgentTarget.objects.filter(agent=agent, stack=stack).exists(),
        labels=_shared_labels(agent, stack),
        annotations=_shared_annotations(agent, stack),
        is_registered=Registration.objects.filter(agent=agent, generator=stack.generator_id).exists(),
        needs_registration=settings.REQUIRE_REGISTRATION,
        wanted=wanted,
        is_offered=wanted is not None and target_state(agent.pk, mode=mode).filter(pk=wanted.pk).exists(),
        mode=mode,
        report=report,
        event_type=_event_type(report),
        health=None
        if wanted is None
        else DeploymentHealth.objects.filter(agent=agent, deployment_object__id=wanted.id).first(),
    )


def _wanted(agent: Agent, stack: Stack) -> DeploymentObject | None:
    objects = DeploymentObject.objects.active().filter(stack=stack)
    if stack.deleted_at is not None:
        objects = objects.filter(Exists(MarkerDelivery.objects.filter(agent=agent, marker=OuterRef("pk"))))
    return objects.newest_first().defer("yaml_content").first()


def _shared_labels(agent: Agent, stack: Stack) -> list[str]:
    of_stack = StackLabel.objects.filter(stack=stack).values("label")
    shared = AgentLabel.objects.filter(agent=agent, label__in=of_stack)
    return list(shared.order_by("label").values_list("label", flat=True))


def _shared_annotations(agent: Agent, stack: Stack) -> dict[str, str]:
    of_stack = StackAnnotation.objects.filter(stack=stack, key=OuterRef("key"), value=OuterRef("value"))
    shared = AgentAnnotation.objects.filter(Exists(of_stack), agent=agent)
    return dict(shared.order_by("key").values_list("key", "value"))


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
