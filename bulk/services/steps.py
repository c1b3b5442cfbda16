"""Performs jobs in steps: short transactions that a killed worker loses as a whole."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.db import transaction

from bulk.models import BulkJob, BulkJobRow, Outcome, State
from bulk.services.jobs import author_of, end_if_finished
from core.admin.bulk import Instruction, list_action_of
from core.advisory_locks import AdvisoryLock, lock_alone
from core.errors import DomainError
from core.events import SYSTEM
from plans.changes import compare, digests_by_agent
from plans.scopes import Scope
from plans.snapshots import take

# So many rows are one transaction, during which nobody else changes what is wanted.
STEP: Final = 50
_GONE: Final = "It is not there any more."


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: Outcome
    message: str = ""


def perform_step(*, now: datetime) -> bool:
    """Perform one step of the job that has been running longest. Returns whether there is more to do.

    Several workers never do the same row: the one that has the job locked does the step.
    """
    oldest = BulkJob.objects.filter(state=State.RUNNING).order_by("begun_at", "id").first()
    if oldest is None:
        return False
    model_admin, action = list_action_of(oldest.model, oldest.action)
    with transaction.atomic():
        if action.has_plan:
            lock_alone(AdvisoryLock.WANTED_VERSIONS)
        running = BulkJob.objects.filter(pk=oldest.pk, state=State.RUNNING)
        job = running.select_for_update(skip_locked=True).first()
        if job is None:
            return False
        rows = list(job.rows.filter(outcome=Outcome.PENDING).order_by("id")[:STEP])
        work = _Work(job, model_admin, action)
        _note(rows, work.do_as_planned(rows) if action.has_plan else work.do(rows))
        end_if_finished(job=job, actor=SYSTEM, now=now)
    return True


class _Work:
    def __init__(self, job: BulkJob, model_admin: Any, action: Any) -> None:
        self._model, self._pages, self._action = apps.get_model(job.model), model_admin, action
        self._instruction = Instruction(author_of(job), job.word)

    def do(self, rows: Sequence[BulkJobRow]) -> dict[int, _Result]:
        """Do the action to each of the rows that does not refuse it."""
        found = self._model._default_manager.in_bulk([row.row_id for row in rows])
        return {row.pk: self._do_one(found.get(row.row_id)) for row in rows}

    def do_as_planned(self, rows: Sequence[BulkJobRow]) -> dict[int, _Result]:
        """The same for agents. What would happen to one otherwise than its plan told is undone."""
        stale: dict[int, _Result] = {}
        rest = list(rows)
        while True:
            point = transaction.savepoint()
            scope = Scope(agent_ids=frozenset(row.row_id for row in rest))
            before = take(scope, is_before=True)
            done = self.do(rest)
            after = take(scope, is_before=False)
            digests = digests_by_agent(compare(before, after), after)
            strayed = [
                row.pk
                for row in rest
                if done[row.pk].outcome != Outcome.REFUSED and digests.get(row.row_id, "") != row.digest
            ]
            if not strayed:
                transaction.savepoint_commit(point)
                return {**done, **stale}
            transaction.savepoint_rollback(point)
            stale |= dict.fromkeys(strayed, _Result(Outcome.STALE))
            rest = [row for row in rest if row.pk not in stale]

    def _do_one(self, row: Any) -> _Result:
        if row is None:
            return _Result(Outcome.REFUSED, _GONE)
        try:
            with transaction.atomic():
                changed = self._action.apply(self._pages, row, self._instruction)
        except DomainError as refusal:
            return _Result(Outcome.REFUSED, refusal.text)
        return _Result(Outcome.DONE if changed else Outcome.UNCHANGED)


def _note(rows: Sequence[BulkJobRow], results: Mapping[int, _Result]) -> None:
    same: dict[_Result, list[int]] = defaultdict(list)
    for row in rows:
        same[results[row.pk]].append(row.pk)
    for result, ids in same.items():
        BulkJobRow.objects.filter(pk__in=ids).update(outcome=result.outcome, message=result.message)
