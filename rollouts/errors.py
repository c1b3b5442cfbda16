"""Refusals about strategies, rollouts and freezes."""

from core.errors import Conflict, Forbidden, Invalid, Locked, NotFound


class RolloutNotFound(NotFound):
    code = "rollout_not_found"
    message = "There is no such rollout."


class RolloutStrategyNotFound(NotFound):
    code = "rollout_strategy_not_found"
    message = "There is no such rollout strategy."


class StackHasNoStrategy(NotFound):
    code = "stack_has_no_strategy"
    message = "The stack has no rollout strategy."


class FreezeNotFound(NotFound):
    code = "freeze_not_found"
    message = "There is no such freeze."


class InvalidStrategy(Invalid):
    code = "invalid_rollout_strategy"
    message = "The strategy cannot be used."


class InvalidFreeze(Invalid):
    code = "invalid_freeze"
    message = "A freeze needs a reason, its generator or label, and an end that is not past."


class ReasonRequired(Invalid):
    code = "reason_required"
    message = "Say why: a reason is required."


class StrategyInUse(Conflict):
    code = "rollout_strategy_in_use"
    message = "Stacks have this strategy; give them another one first."


class BypassDenied(Forbidden):
    code = "rollout_bypass_denied"
    message = "Publishing past the stack's strategy, and changing which it has, needs the right to bypass."


class NotAnotherPerson(Forbidden):
    code = "approval_by_another_required"
    message = "Whoever published the version may not approve its waves; the strategy wants another person."


class RolloutStateConflict(Conflict):
    code = "rollout_state_conflict"
    message = "The rollout is in a state that does not allow it."


class WaveNotWaiting(Conflict):
    code = "wave_not_waiting"
    message = "That wave is not the one that waits for approval."


class CheckNotAwaited(Conflict):
    code = "check_not_awaited"
    message = "That wave does not ask for this check, or has not been released."


class NothingToRollBackTo(Conflict):
    code = "nothing_to_roll_back_to"
    message = "When the rollout started there was no version that everybody should have had."


class NewerVersionReleased(Conflict):
    code = "newer_version_released"
    message = "A newer version is released or rolling out; roll that one back."


class VersionNotHeld(Conflict):
    code = "version_not_held"
    message = "The version is not held, or its rollout is under way."


class Frozen(Locked):
    code = "frozen"
    message = "A freeze holds: what agents should have stays as it is."
