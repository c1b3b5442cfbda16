"""Shows plans on the pages that confirm, and makes changes that were confirmed."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from agents.models import HoldReason
from core import clock
from core.admin.planning import UNPLANNED, Change, Confirmation, ShownPlan
from core.advisory_locks import AdvisoryLock, lock_alone
from core.errors import DomainError
from core.events import Event, emit
from plans.budget import Loss, loss_of
from plans.changes import compare, digest_of
from plans.dry_runs import dry_run
from plans.errors import NotConfirmed, PlanStale, PlanTooLong
from plans.event_kinds import PlanEventKind
from plans.reports import Plan, report
from plans.scopes import scope_of_rows
from plans.snapshots import take
from rollouts.admin.words import HOLDS

# So many agents are named on a page.
NAMED = 100


class FleetPlanner:
    def show(self, rows: Sequence[Model], change: Change, *, phrase: str) -> ShownPlan | None:
        try:
            run = dry_run(partial(scope_of_rows, rows), change)
        except PlanTooLong:
            panel = SafeString(render_to_string("plans/admin/too_long.html"))
            return ShownPlan(UNPLANNED, panel, is_wide=True, phrase=phrase)
        except DomainError:
            # The change says itself why it is refused, when it is made.
            return None
        digest = digest_of(run.changes, run.before, run.after, write=_write(rows))
        plan = report(run, digest, now=clock.now(), reader=None)
        if plan.is_empty or run.refused_by:
            return None
        return shown_plan(plan, phrase=phrase)

    def make(self, rows: Sequence[Model], change: Change, *, phrase: str, confirmation: Confirmation) -> Any:
        if confirmation.digest == UNPLANNED:
            _require_typed(phrase, confirmation)
            return change()
        with transaction.atomic():
            # As for `If-Plan`: nobody else changes what is wanted until this is committed.
            lock_alone(AdvisoryLock.WANTED_VERSIONS)
            scope = scope_of_rows(rows)
            before = take(scope, is_before=True)
            made = change()
            after = take(scope, is_before=False)
            changes = compare(before, after)
            if digest_of(changes, before, after, write=_write(rows)) != confirmation.digest:
                raise PlanStale
            loss = loss_of(changes, now=clock.now())
            if is_wide(loss.percent):
                _require_typed(phrase, confirmation)
                _tell(rows[0], loss, confirmation)
            return made


def _require_typed(phrase: str, confirmation: Confirmation) -> None:
    if confirmation.typed != phrase or not confirmation.actor.reason:
        raise NotConfirmed


def _write(rows: Sequence[Model]) -> bytes:
    return orjson.dumps([rows[0]._meta.label, sorted(str(row.pk) for row in rows)])


def is_wide(losing_percent: float) -> bool:
    """Whether so many agents lose a stack that the admin asks for a name to be typed."""
    return losing_percent > settings.CONFIRM_BY_NAME_PERCENT


def shown_plan(plan: Plan, *, phrase: str) -> ShownPlan:
    """The plan as a part of a page."""
    return ShownPlan(plan.digest, _panel_of(plan), is_wide(plan.losing_percent), phrase)


def _panel_of(plan: Plan) -> SafeString:
    context = {
        # Not `plan`, which is the name of the shown plan on the page around it.
        "changes": plan,
        "stacks": [(stack, [HOLDS[HoldReason(reason)] for reason in stack.holds]) for stack in plan.stacks],
        "pairs": plan.pairs[:NAMED],
        "unnamed": max(0, len(plan.pairs) - NAMED),
        "starting": plan.starting[:NAMED],
        "unnamed_starting": max(0, len(plan.starting) - NAMED),
        "stopping": plan.stopping[:NAMED],
        "unnamed_stopping": max(0, len(plan.stopping) - NAMED),
        "leaving": plan.leaving[:NAMED],
        "unnamed_leaving": max(0, len(plan.leaving) - NAMED),
    }
    return SafeString(render_to_string("plans/admin/panel.html", context))


def _tell(row: Model, loss: Loss, confirmation: Confirmation) -> None:
    emit(
        Event(
            kind=PlanEventKind.PLAN_CONFIRMED,
            resource_type=str(getattr(row, "NOUN", row._meta.model_name)),
            # Versions have a number as their key, and an id beside it.
            resource_id=getattr(row, "id", None),
            actor=confirmation.actor,
            details={
                "reason": confirmation.actor.reason,
                "losing_agents": loss.agents,
                "losing_percent": loss.percent,
                "digest": confirmation.digest,
            },
        )
    )
