"""Which entry of the audit log says who made a change.

Nothing ties the two in the database, since the history is written by triggers. They belong together if they are about
the same resource, the action fits what changed, and their times are close: the nearest entry is taken.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from agents.event_kinds import AgentEventKind
from agents.wanted.changes import Change, What
from audit.models import AuditLog
from core.events import EventKind
from generators.event_kinds import GeneratorEventKind
from history.entries import Cause
from history.versions import Versions
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout
from stacks.event_kinds import StackEventKind

# An entry is made in the transaction of its change. The clocks of the database and of the broker may differ.
_NEAR = timedelta(seconds=10)

_ROLLOUTS = tuple(RolloutEventKind)
_ACTIONS: Mapping[tuple[What, bool], tuple[EventKind, ...]] = {
    (What.AGENT, True): (AgentEventKind.AGENT_CREATED,),
    (What.AGENT, False): (AgentEventKind.AGENT_DELETED,),
    (What.AGENT_LABEL, True): (AgentEventKind.AGENT_LABEL_ADDED,),
    (What.AGENT_LABEL, False): (AgentEventKind.AGENT_LABEL_REMOVED,),
    (What.AGENT_ANNOTATION, True): (AgentEventKind.AGENT_ANNOTATION_ADDED,),
    (What.AGENT_ANNOTATION, False): (AgentEventKind.AGENT_ANNOTATION_REMOVED,),
    (What.TARGET, True): (AgentEventKind.AGENT_TARGET_ADDED,),
    (What.TARGET, False): (
        AgentEventKind.AGENT_TARGET_REMOVED,
        AgentEventKind.AGENT_DEREGISTERED,
        AgentEventKind.AGENT_DELETED,
        StackEventKind.STACK_DELETED,
    ),
    (What.REGISTRATION, True): (AgentEventKind.AGENT_REGISTERED,),
    (What.REGISTRATION, False): (
        AgentEventKind.AGENT_DEREGISTERED,
        AgentEventKind.AGENT_DELETED,
        GeneratorEventKind.GENERATOR_DELETED,
    ),
    (What.STACK, False): (StackEventKind.STACK_DELETED,),
    (What.STACK_LABEL, True): (StackEventKind.STACK_LABEL_ADDED,),
    (What.STACK_LABEL, False): (StackEventKind.STACK_LABEL_REMOVED,),
    (What.STACK_ANNOTATION, True): (StackEventKind.STACK_ANNOTATION_ADDED,),
    (What.STACK_ANNOTATION, False): (StackEventKind.STACK_ANNOTATION_REMOVED,),
    (What.OWNER, True): (StackEventKind.STACK_UPDATED,),
    (What.VERSION, True): (StackEventKind.DEPLOYMENT_CREATED,),
    (What.HOLD, False): (*_ROLLOUTS, StackEventKind.DEPLOYMENT_CREATED),
    (What.RELEASE, True): _ROLLOUTS,
    # A marker is owed because of another change, and given up because of another one or by a report.
    (What.MARKER, True): (
        AgentEventKind.AGENT_LABEL_REMOVED,
        AgentEventKind.AGENT_ANNOTATION_REMOVED,
        AgentEventKind.AGENT_TARGET_REMOVED,
        AgentEventKind.AGENT_DEREGISTERED,
        StackEventKind.STACK_LABEL_REMOVED,
        StackEventKind.STACK_ANNOTATION_REMOVED,
        StackEventKind.STACK_UPDATED,
        StackEventKind.STACK_DELETED,
    ),
}
# The names under which the audit log says which word, stack or generator an entry is about.
_DETAILS = {
    What.AGENT_LABEL: ("label", "word"),
    What.STACK_LABEL: ("label", "word"),
    What.AGENT_ANNOTATION: ("key", "word"),
    What.STACK_ANNOTATION: ("key", "word"),
}


def causes_of(changes: Sequence[Change], versions: Versions) -> dict[Change, Cause]:
    """The cause of each of these changes that has one which is still in the audit log. At most two queries."""
    asked = [change for change in changes if (change.what, change.began) in _ACTIONS]
    resources = _resources(asked, versions)
    condition = Q()
    for change in asked:
        about = Q(resource_id__in=resources[change])
        if change.what in {What.HOLD, What.RELEASE}:
            about |= Q(action=RolloutEventKind.FREEZE_LIFTED)
        condition |= about & Q(
            action__in=_ACTIONS[change.what, change.began],
            timestamp__gte=change.at - _NEAR,
            timestamp__lte=change.at + _NEAR,
        )
    if not condition:
        return {}
    entries = list(AuditLog.objects.filter(condition).order_by("timestamp", "sequence"))
    found = {}
    for change in asked:
        fitting = [entry for entry in entries if _fits(entry, change, resources[change])]
        if fitting:
            found[change] = _cause(min(fitting, key=lambda entry: abs(entry.timestamp - change.at)))
    return found


def _fits(entry: AuditLog, change: Change, resources: set[UUID]) -> bool:
    if entry.action not in _ACTIONS[change.what, change.began]:
        return False
    if abs(entry.timestamp - change.at) > _NEAR:
        return False
    if entry.resource_id not in resources and entry.action != RolloutEventKind.FREEZE_LIFTED:
        return False
    detail = _DETAILS.get(change.what)
    details: dict[str, Any] = entry.details or {}
    return detail is None or details.get(detail[0]) == getattr(change, detail[1])


def _resources(changes: Sequence[Change], versions: Versions) -> dict[Change, set[UUID]]:
    """By change, the ids of what an entry about it may name: the agent, the stack, the version, the rollouts."""
    known = versions.by_sequence_id({change.version_id for change in changes if change.version_id})
    found = {}
    for change in changes:
        ids = {change.agent_id, change.stack_id, change.generator_id}
        if change.version_id in known:
            ids |= {known[change.version_id].id, known[change.version_id].stack_id}
        found[change] = {one for one in ids if one is not None}
    stacks = {
        known[change.version_id].stack_id
        for change in changes
        if change.what in {What.HOLD, What.RELEASE} and change.version_id in known
    }
    if stacks:
        rollouts: dict[UUID, set[UUID]] = {}
        for rollout_id, stack_id in Rollout.objects.filter(stack__in=stacks).values_list("pk", "stack_id"):
            rollouts.setdefault(stack_id, set()).add(rollout_id)
        for change in changes:
            if change.what in {What.HOLD, What.RELEASE} and change.version_id in known:
                found[change] |= rollouts.get(known[change.version_id].stack_id, set())
    return found


def _cause(entry: AuditLog) -> Cause:
    return Cause(
        audit_id=entry.id,
        sequence=entry.sequence,
        action=entry.action,
        actor_type=entry.actor_type,
        actor_id=entry.actor_id,
        actor_label=entry.actor_label,
        at=entry.timestamp,
    )
