"""Refusals about work orders."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class WorkOrderNotFound(NotFound):
    code = "work_order_not_found"
    message = "There is no such work order."


class WorkOrderLogEntryNotFound(NotFound):
    code = "work_order_log_entry_not_found"
    message = "There is no such entry in the work-order log."


class InvalidWorkOrder(Invalid):
    code = "invalid_work_order"
    message = "The work order breaks a rule."


class NoTargetingSpecified(Invalid):
    code = "no_targeting_specified"
    message = "Name at least one agent, label or annotation; nobody could claim the order otherwise."


class WorkOrderNotClaimable(NotFound):
    code = "work_order_not_claimable"
    message = "There is no pending work order of that id for this agent."


class WorkOrderNotClaimed(Conflict):
    code = "work_order_not_claimed"
    message = "The work order is not claimed, so there is nothing to complete or renew."


class WorkOrderNotClaimedByAgent(Forbidden):
    code = "work_order_not_claimed_by_agent"
    message = "Only an admin or the agent that holds the claim may do that."


class StaleClaim(Conflict):
    code = "stale_claim"
    message = "The claim of this token has ended; the order was released or claimed again."
