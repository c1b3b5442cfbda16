"""What a freeze refuses, and who may override it.

The services below do not know freezes. This module receives their events inside their transaction, and a refusal
rolls the change back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.db.models import Q

from agents.event_kinds import AgentEventKind
from agents.models import AgentLabel, MarkerDelivery
from agents.wanted import losses
from agents.wanted.ties import ties_of_agent
from core.events import Actor, Event, EventKind, emit
from core.refusals import refuse
from core.validators import MAX_REASON, is_reason
from generators.event_kinds import GeneratorEventKind
from paks.actors import ActorType
from rollouts.coverage import covers, freeze_of_stack, holding_freezes
from rollouts.errors import Frozen
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Freeze
from stacks.event_kinds import StackEventKind
from stacks.models import Stack
from stacks.services import PublishOptions

# The reason with which a request asks that freezes be overridden; None if it does not ask.
_override: ContextVar[str | None] = ContextVar("freeze_override", default=None)


@dataclass(frozen=True, slots=True)
class OverridingOptions(PublishOptions):
    """The options of a version that an admin publishes although a freeze covers the stack, and why."""

    override_reason: str = ""


@contextmanager
def overriding_freezes(reason: str) -> Iterator[None]:
    """Let an admin do what freezes refuse, for this reason. Others are told that it has no effect for them."""
    reason = reason.strip()
    token = _override.set(reason if is_reason(reason) else "")
    try:
        yield
    finally:
        _override.reset(token)


def require_thawed(*, stack: Stack, actor: Actor, override_reason: str | None = None) -> None:
    """Raises Frozen if a freeze covers the stack and no admin overrides it. An override is audited."""
    freeze = freeze_of_stack(stack)
    if freeze is not None:
        _require_override(freeze, actor, about=(Stack.NOUN, stack.pk), override_reason=override_reason)


def is_held_by_freeze(*, stack: Stack, actor: Actor, options: PublishOptions) -> bool:
    """Whether a freeze covers the stack and no admin publishes over it. Publishing over it is audited."""
    freeze = freeze_of_stack(stack)
    if freeze is None:
        return False
    reason = options.override_reason if isinstance(options, OverridingOptions) else None
    return not _is_overridden(freeze, actor, about=(Stack.NOUN, stack.pk), override_reason=reason)


def why_not_overridden(actor: Actor) -> str:
    """A sentence if the request asks in vain that freezes be overridden; else empty."""
    reason = _override.get()
    if reason is None or (actor.type == ActorType.ADMIN and reason):
        return ""
    if actor.type == ActorType.ADMIN:
        return f"X-Brokkr-Override-Freeze has no reason of 1 to {MAX_REASON} characters, so it overrides nothing."
    return "X-Brokkr-Override-Freeze overrides nothing here: it needs an admin's key."


def refuse_while_frozen(event: Event) -> None:
    """Raises Frozen if a freeze covers this change of who serves which stack, or this deletion."""
    question = _QUESTIONS.get(event.kind)
    # The broker's own changes are not a person's decision, so they are not refused.
    if question is None or event.resource_id is None or event.actor.type == ActorType.SYSTEM:
        return
    # The words that are gone are told by `before`.
    facts = {**(event.before or {}), **(event.details or {})}
    for freeze in holding_freezes():
        if question(freeze, event.resource_id, facts):
            _require_override(freeze, event.actor, about=(event.resource_type, event.resource_id))


def _require_override(
    freeze: Freeze, actor: Actor, *, about: tuple[str, UUID], override_reason: str | None = None
) -> None:
    if not _is_overridden(freeze, actor, about=about, override_reason=override_reason):
        text = f"{Frozen.message} {why_not_overridden(actor)}".strip()
        refuse(Frozen(text, freeze_id=freeze.pk, scope=freeze.scope, reason=freeze.reason))


def _is_overridden(
    freeze: Freeze, actor: Actor, *, about: tuple[str, UUID], override_reason: str | None
) -> bool:
    """Whether an admin gives a reason to act in spite of the freeze. If so, it is audited."""
    reason = override_reason or _override.get()
    if actor.type != ActorType.ADMIN or not reason:
        return False
    resource_type, resource_id = about
    emit(
        Event(
            kind=RolloutEventKind.FREEZE_OVERRIDDEN,
            resource_type=Freeze.NOUN,
            resource_id=freeze.pk,
            actor=actor,
            details={"reason": reason, "resource_type": resource_type, "resource_id": str(resource_id)},
            reason=reason,
        )
    )
    return True


_Question = Callable[[Freeze, UUID, Mapping[str, object]], bool]


def _stack(freeze: Freeze, stack_id: UUID, details: Mapping[str, object]) -> bool:
    # The change of a label that the freeze names may just have put the stack under the freeze, or taken it out.
    if freeze.scope == Freeze.Scope.LABEL and details.get("label") == freeze.label:
        return True
    stack = Stack.objects.get(pk=stack_id)
    # The stack may just have lost the word by which the agents under the freeze served it.
    if "label" in details:
        lost = losses.agents_by_label(stack, str(details["label"]))
    elif "key" in details:
        lost = losses.agents_by_annotation(stack, str(details["key"]), str(details["value"]))
    else:
        return covers(freeze, stack)
    return covers(freeze, stack) or _is_about_any(freeze, lost)


def _owner_of_stack(freeze: Freeze, stack_id: UUID, details: Mapping[str, object]) -> bool:
    if "generator_id" not in details:
        return False
    old = UUID(str(details["old_generator_id"]))
    stack = Stack.objects.get(pk=stack_id)
    lost = losses.agents_by_owner(stack, old)
    return freeze.generator_id == old or covers(freeze, stack) or _is_about_any(freeze, lost)


def _deleted_stack(freeze: Freeze, stack_id: UUID, details: Mapping[str, object]) -> bool:
    # The targets are deleted already, but the marker is owed to the agents that had them.
    owed = MarkerDelivery.objects.filter(marker__stack=stack_id, agent__labels__label=freeze.label)
    return _stack(freeze, stack_id, details) or (freeze.scope == Freeze.Scope.LABEL and owed.exists())


def _target(freeze: Freeze, agent_id: UUID, details: Mapping[str, object]) -> bool:
    return _stack(freeze, UUID(str(details["stack_id"])), {}) or _is_about_any(freeze, [agent_id])


def _deleted_agent(freeze: Freeze, agent_id: UUID, details: Mapping[str, object]) -> bool:
    if freeze.scope == Freeze.Scope.FLEET or _is_about_any(freeze, [agent_id]):
        return True
    words = ties_of_agent(agent_id).owners(registration_counts=False)
    stacks = Stack.objects.active().filter(Q(pk__in=words) | Q(pk__in=_untargeted(details)))
    return any(covers(freeze, stack) for stack in stacks)


def _word_of_agent(freeze: Freeze, agent_id: UUID, details: Mapping[str, object]) -> bool:
    if freeze.scope == Freeze.Scope.FLEET:
        return True
    live = Stack.objects.active()
    if "key" in details:
        key, value = str(details["key"]), str(details["value"])
        tied = live.filter(annotations__key=key, annotations__value=value)
        lost = losses.stacks_by_annotation(agent_id, key, value)
    elif freeze.scope == Freeze.Scope.LABEL and details["label"] == freeze.label:
        return True
    else:
        label = str(details["label"])
        tied = live.filter(labels__label=label)
        lost = losses.stacks_by_label(agent_id, label)
    return any(covers(freeze, stack) for stack in tied) or (
        live.filter(pk__in=lost).exists() and _is_about_any(freeze, [agent_id])
    )


def _registration(freeze: Freeze, agent_id: UUID, details: Mapping[str, object]) -> bool:
    generator_id = UUID(str(details["generator_id"]))
    stacks = Stack.objects.active().owned_by(generator_id)
    if any(covers(freeze, stack) for stack in stacks):
        return True
    lost = {*losses.stacks_by_registration(agent_id, generator_id), *_untargeted(details)}
    return stacks.filter(pk__in=lost).exists() and _is_about_any(freeze, [agent_id])


def _untargeted(details: Mapping[str, object]) -> list[UUID]:
    """The stacks that were explicit targets and are so no more."""
    return [UUID(stack_id) for stack_id in cast(list[str], details.get("targets", []))]


def _is_about_any(freeze: Freeze, agent_ids: Iterable[UUID]) -> bool:
    """Whether the freeze names a label that any of these agents has."""
    named = AgentLabel.objects.filter(label=freeze.label, agent__in=agent_ids)
    return freeze.scope == Freeze.Scope.LABEL and named.exists()


def _deleted_generator(freeze: Freeze, generator_id: UUID, _: Mapping[str, object]) -> bool:
    # The stacks are deleted already; each of them was checked at its own deletion.
    return freeze.scope == Freeze.Scope.FLEET or freeze.generator_id == generator_id


# The question for each kind of event.
_QUESTIONS: dict[EventKind, _Question] = {
    StackEventKind.STACK_LABEL_ADDED: _stack,
    StackEventKind.STACK_LABEL_REMOVED: _stack,
    StackEventKind.STACK_ANNOTATION_ADDED: _stack,
    StackEventKind.STACK_ANNOTATION_REMOVED: _stack,
    StackEventKind.STACK_UPDATED: _owner_of_stack,
    StackEventKind.STACK_DELETED: _deleted_stack,
    AgentEventKind.AGENT_LABEL_ADDED: _word_of_agent,
    AgentEventKind.AGENT_LABEL_REMOVED: _word_of_agent,
    AgentEventKind.AGENT_ANNOTATION_ADDED: _word_of_agent,
    AgentEventKind.AGENT_ANNOTATION_REMOVED: _word_of_agent,
    AgentEventKind.AGENT_TARGET_ADDED: _target,
    AgentEventKind.AGENT_TARGET_REMOVED: _target,
    AgentEventKind.AGENT_REGISTERED: _registration,
    AgentEventKind.AGENT_DEREGISTERED: _registration,
    AgentEventKind.AGENT_DELETED: _deleted_agent,
    GeneratorEventKind.GENERATOR_DELETED: _deleted_generator,
}
