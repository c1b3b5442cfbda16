"""The kinds of events about rollouts, strategies and freezes."""

from core.events import EventKind


class RolloutEventKind(EventKind):
    DEPLOYMENT_RELEASED = "deployment.released"
    FREEZE_LIFTED = "freeze.lifted"
    FREEZE_OVERRIDDEN = "freeze.overridden"
    FREEZE_STARTED = "freeze.started"
    ROLLOUT_ABORTED = "rollout.aborted"
    ROLLOUT_APPROVAL_REQUESTED = "rollout.approval_requested"
    ROLLOUT_APPROVED = "rollout.approved"
    ROLLOUT_CHECK_REPORTED = "rollout.check_reported"
    ROLLOUT_PAUSED = "rollout.paused"
    ROLLOUT_QUEUED = "rollout.queued"
    ROLLOUT_RESUMED = "rollout.resumed"
    ROLLOUT_ROLLED_BACK = "rollout.rolled_back"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_STRATEGY_CREATED = "rollout_strategy.created"
    ROLLOUT_STRATEGY_DELETED = "rollout_strategy.deleted"
    ROLLOUT_STRATEGY_UPDATED = "rollout_strategy.updated"
    ROLLOUT_SUCCEEDED = "rollout.succeeded"
    ROLLOUT_SUPERSEDED = "rollout.superseded"
    ROLLOUT_WAVE_PROVEN = "rollout.wave_proven"
    ROLLOUT_WAVE_RELEASED = "rollout.wave_released"
    STACK_STRATEGY_REMOVED = "stack.strategy_removed"
    STACK_STRATEGY_SET = "stack.strategy_set"
