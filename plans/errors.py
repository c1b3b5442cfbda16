"""Refusals about plans."""

from core.errors import Conflict, Invalid, PreconditionFailed, Unavailable


class NotPlannable(Invalid):
    code = "not_plannable"
    message = "This is no write that changes what agents get, so there is no plan of it."


class PlanStale(PreconditionFailed):
    code = "plan_stale"
    message = "The change would now do something else than the plan said; ask for a new plan."


class NotConfirmed(Invalid):
    code = "plan_not_confirmed"
    message = "Nothing is changed: what was typed is not what was asked for, or the reason is missing."


class PlanTooLong(Unavailable):
    code = "plan_too_long"
    message = "The plan takes longer than writers may be kept waiting; nothing was changed."


class DeletionBudgetExceeded(Conflict):
    code = "deletion_budget_exceeded"
    message = "More agents would lose a stack than one change may take; read the plan and send If-Plan."
