"""What a job would do to the fleet, for the plan that is shown before it begins.

The change is tried out with a few statements for all agents, in a transaction that is rolled back. They write only what
decides which versions agents should have. When the job is performed by the real services, what it does to each agent is
compared with what was found here.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.db.models import QuerySet

from agents.event_kinds import AgentEventKind
from agents.models import Agent, AgentLabel
from agents.querysets import ACTIVE
from agents.rings import RING
from bulk.models import BulkJob
from core.admin.bulk import list_action_of
from core.errors import DomainError
from core.events import Actor, Event
from plans.changes import digests_by_agent
from plans.dry_runs import dry_run
from plans.reports import Plan, report
from plans.scopes import Scope
from rollouts.services.frozen_writes import refuse_while_frozen
from stacks.models import Stack

# How long the plan may compute on SQLite, where other writers wait meanwhile.
_PATIENCE_SECONDS: Final = 5.0
_Ids = Sequence[UUID]


@dataclass(frozen=True, slots=True)
class JobPlan:
    """`digests` has, by agent, what names the changes of that agent; agents to which nothing happens are missing."""

    plan: Plan
    digests: dict[UUID, str]
    refusals: Sequence[DomainError]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Takes the ids of agents and the word. `scope` is what the change can touch, read before it; `event` is what the
    real change tells of each agent, if a freeze may refuse that.
    """

    scope: Callable[[_Ids, str], Scope]
    change: Callable[[_Ids, str], None]
    event: AgentEventKind | None = None


def plan_job(job: BulkJob, ids: _Ids, *, actor: Actor, now: datetime) -> JobPlan | None:
    """The plan of the action on these rows; None for an action that changes nothing that agents should have.

    Raises PlanTooLong, and Django's database errors.
    """
    if not list_action_of(job.model, job.action)[1].has_plan:
        return None
    trial = _TRIALS[job.action]

    def change() -> None:
        trial.change(ids, job.word)
        if trial.event is not None:
            # A freeze asks for the label only, so it refuses the event for all agents or for none.
            details = {"label": job.word}
            refuse_while_frozen(Event(trial.event, Agent.NOUN, ids[0], actor, details))

    run = dry_run(lambda: trial.scope(ids, job.word), change, patience=_PATIENCE_SECONDS)
    digests = digests_by_agent(run.changes, run.after)
    plan = report(run, _digest(job, ids, digests), now=now, reader=None)
    return JobPlan(plan, digests, run.refused_by)


def _digest(job: BulkJob, ids: _Ids, digests: dict[UUID, str]) -> str:
    whole = [job.model, job.action, job.word, sorted(map(str, ids)), sorted(digests.items())]
    return hashlib.sha256(orjson.dumps(whole)).hexdigest()


def _status(status: str) -> _Trial:
    def change(ids: _Ids, _word: str) -> None:
        Agent.objects.active().filter(pk__in=ids).update(status=status)

    # A status changes nothing of what an agent should have, only whether it applies it.
    return _Trial(lambda ids, _word: Scope(agent_ids=frozenset(ids), stack_ids=frozenset()), change)


def _stacks_with(labels: Collection[str]) -> Scope:
    stacks = Stack.objects.active().filter(labels__label__in=labels)
    return Scope(stack_ids=frozenset(stacks.values_list("pk", flat=True)))


def _ring_labels(ids: _Ids) -> list[AgentLabel]:
    rows = _of_live(ids).filter(label__startswith=RING).order_by("agent_id", "label")
    # SQLite compares without regard to case.
    return [row for row in rows if row.label.startswith(RING)]


def _add(ids: _Ids, label: str) -> None:
    agents = Agent.objects.active().filter(pk__in=ids).exclude(labels__label=label)
    AgentLabel.objects.bulk_create(
        AgentLabel(agent_id=agent_id, label=label) for agent_id in agents.values_list("pk", flat=True)
    )


def _remove(ids: _Ids, label: str) -> None:
    _of_live(ids).filter(label=label).delete()


def _assign(ids: _Ids, label: str) -> None:
    labels = _ring_labels(ids)
    there = {row.agent_id for row in labels if row.label == label}
    # One label of each agent becomes the new one, which is quicker than a removal and an addition.
    changing = {row.agent_id: row.pk for row in labels if row.agent_id not in there}
    kept = set(changing.values())
    others = [row.pk for row in labels if row.label != label and row.pk not in kept]
    AgentLabel.objects.filter(pk__in=others).delete()
    AgentLabel.objects.filter(pk__in=kept).update(label=label)
    lacking = set(ids) - there - changing.keys()
    if lacking:
        _add(list(lacking), label)


def _of_live(ids: _Ids) -> QuerySet[AgentLabel]:
    return AgentLabel.objects.filter(agent__in=ids, agent__deleted_at__isnull=True)


# By the names of the actions of agents that have a plan.
_TRIALS: Final = {
    "activate_selected": _status(ACTIVE),
    "pause_selected": _status("INACTIVE"),
    "add_label_selected": _Trial(
        lambda _ids, label: _stacks_with([label]), _add, AgentEventKind.AGENT_LABEL_ADDED
    ),
    "remove_label_selected": _Trial(
        lambda _ids, label: _stacks_with([label]), _remove, AgentEventKind.AGENT_LABEL_REMOVED
    ),
    "assign_ring_selected": _Trial(
        lambda ids, label: _stacks_with({label, *(row.label for row in _ring_labels(ids))}),
        _assign,
        AgentEventKind.AGENT_LABEL_ADDED,
    ),
}
