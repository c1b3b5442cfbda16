"""Which entry of the audit log says who made a change.

A change and the entries that were written in its transaction have the same number. Of several entries the one is taken
that is about the change: its action and its resource fit. Agents, stacks and versions begin and end once, so the id in
the entry is enough. Changes of before there were numbers have none: of the entries without a number that fit, the
nearest in time is taken, and the cause is marked as guessed.
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

# How far the time of an entry may be from that of a change with the same number. A restored database counts its
# transactions anew, so a number alone is not enough.
_LONGEST_TRANSACTION = timedelta(hours=1)
# The same for a change that has no number. The clocks of the database and of the broker may differ.
_NEAR = timedelta(seconds=10)
# These have one beginning and one end, and entries name them by their ids.
_ONCE = frozenset({What.AGENT, What.STACK, What.VERSION})

_OF_ROLLOUTS = frozenset({What.HOLD, What.RELEASE})
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
    asked = [
        change
        for change in changes
        if change.transaction is not None or (change.what, change.began) in _ACTIONS
    ]
    resources = _resources(asked, versions)
    numbers = {change.transaction for change in asked if change.transaction is not None}
    condition = Q(transaction_number__in=numbers) if numbers else Q()
    for change in asked:
        if change.transaction is None:
            condition |= _entries_without_number(change, resources[change])
    if not condition:
        return {}
    entries = list(AuditLog.objects.filter(condition).order_by("sequence"))
    found = {}
    for change in asked:
        ranked = [
            (rank, abs(entry.timestamp - change.at), entry.sequence, entry)
            for entry in entries
            if (rank := _rank(entry, change, resources[change])) is not None
        ]
        if ranked:
            *_, entry = min(ranked)
            found[change] = _cause(entry, is_guessed=_is_guessed(change))
    return found


def _is_guessed(change: Change) -> bool:
    return change.transaction is None and change.what not in _ONCE


def _entries_without_number(change: Change, resources: set[UUID]) -> Q:
    """The entries that may be the cause of a change that has no number."""
    by_action = Q(action__in=_ACTIONS[change.what, change.began])
    if change.what in _ONCE:
        return by_action & Q(resource_id__in=resources)
    about = Q(resource_id__in=resources)
    if change.what in _OF_ROLLOUTS:
        about |= Q(action=RolloutEventKind.FREEZE_LIFTED)
    times = Q(timestamp__gte=change.at - _NEAR, timestamp__lte=change.at + _NEAR)
    return by_action & about & times & Q(transaction_number__isnull=True)


def _rank(entry: AuditLog, change: Change, resources: set[UUID]) -> int | None:
    """How well the entry tells of the change, 0 best; None if it is not its cause."""
    actions = _ACTIONS.get((change.what, change.began), ())
    if change.what in _ONCE:
        return 0 if entry.action in actions and entry.resource_id in resources else None
    if entry.transaction_number != change.transaction:
        return None
    is_about = _is_about(entry, resources)
    fits = is_about or (change.what in _OF_ROLLOUTS and entry.action == RolloutEventKind.FREEZE_LIFTED)
    fits &= entry.action in actions and _has_word(entry, change)
    distance = abs(entry.timestamp - change.at)
    if change.transaction is None:
        return 0 if fits and distance <= _NEAR else None
    return (0 if fits else 1 if is_about else 2) if distance <= _LONGEST_TRANSACTION else None


def _is_about(entry: AuditLog, resources: set[UUID]) -> bool:
    details: dict[str, Any] = entry.details or {}
    return entry.resource_id in resources or details.get("stack_id") in {str(one) for one in resources}


def _has_word(entry: AuditLog, change: Change) -> bool:
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
        if change.what in _OF_ROLLOUTS and change.version_id in known
    }
    if stacks:
        rollouts: dict[UUID, set[UUID]] = {}
        for rollout_id, stack_id in Rollout.objects.filter(stack__in=stacks).values_list("pk", "stack_id"):
            rollouts.setdefault(stack_id, set()).add(rollout_id)
        for change in changes:
            if change.what in _OF_ROLLOUTS and change.version_id in known:
                found[change] |= rollouts.get(known[change.version_id].stack_id, set())
    return found


def _cause(entry: AuditLog, *, is_guessed: bool) -> Cause:
    return Cause(
        audit_id=entry.id,
        sequence=entry.sequence,
        action=entry.action,
        actor_type=entry.actor_type,
        actor_id=entry.actor_id,
        actor_label=entry.actor_label,
        at=entry.timestamp,
        reason=entry.reason,
        is_guessed=is_guessed,
    )
