"""How a rollout moves from one state to another: a guarded update, and an event about it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.events import Actor, Event, emit
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import MOVING

# The worker looks at least this often, because no report tells that an agent becomes silent, comes back, joins or
# leaves.
MAX_UNLOOKED = timedelta(seconds=60)


class Cause(StrEnum):
    """The reasons why a rollout is in its state, in addition to those of `StopReason`."""

    STACK_DELETED = "stack_deleted"
    RESTORED = "restored"
    NEWER_VERSION = "newer_version"
    ROLLED_BACK = "rolled_back"


# The other kinds have no notice.
_UNTOLD = {
    RolloutEventKind.ROLLOUT_QUEUED,
    RolloutEventKind.ROLLOUT_APPROVED,
    RolloutEventKind.ROLLOUT_CHECK_REPORTED,
}


def move(
    *,
    rollout: Rollout,
    to: RolloutState,
    among: Collection[RolloutState],
    kind: RolloutEventKind,
    actor: Actor,
    now: datetime,
    cause: str = "",
    reason: str = "",
    look_in: timedelta = timedelta(0),
    facts: Mapping[str, object] | None = None,
    fields: Mapping[str, object] | None = None,
) -> bool:
    """Put the rollout into the state `to` if it is still in one of `among` and at the wave that `rollout` says.

    Returns whether it was. The worker looks at it at once, or after `look_in` if the worker itself moves it. `fields`
    are set in the same update; `facts` are added to the event. The instance is updated too.
    """
    changes: dict[str, object] = {
        "state": to,
        "state_since": now,
        "cause": cause,
        "reason": reason,
        "changed_by": actor.label or actor.type,
        "next_look_at": now + look_in if to in MOVING else None,
        **(fields or {}),
    }
    rows = Rollout.objects.filter(pk=rollout.pk, state__in=among, wave=rollout.wave)
    if not rows.update(**changes):
        return False
    came_from = rollout.state
    for name, value in changes.items():
        setattr(rollout, name, value)
    tell(kind, rollout, actor=actor, facts=facts, came_from=came_from)
    return True


def tell(
    what: RolloutEventKind,
    rollout: Rollout,
    *,
    actor: Actor,
    facts: Mapping[str, object] | None = None,
    came_from: str | None = None,
) -> None:
    """Emit an event about the rollout. `facts` are additional data of this event; `came_from` is the state before."""
    state = {
        "state": str(rollout.state),
        "wave": rollout.wave,
        "cause": str(rollout.cause),
        "reason": rollout.reason,
        **(facts or {}),
    }
    emit(
        Event(
            kind=what,
            resource_type=Rollout.NOUN,
            resource_id=rollout.pk,
            actor=actor,
            details={
                "stack_id": str(rollout.stack_id),
                "sequence_id": rollout.version_id,
                "strategy": rollout.strategy_name,
                **state,
            },
            before=None if came_from is None else {"state": str(came_from)},
            after=None if came_from is None else {"state": str(rollout.state)},
            reason=rollout.reason,
            data=None
            if what in _UNTOLD
            else {
                "rollout_id": rollout.pk,
                "stack_id": rollout.stack_id,
                "deployment_object_id": rollout.version.id,
                "sequence_id": rollout.version_id,
                "strategy": rollout.strategy_name,
                "at": rollout.state_since,
                **state,
            },
        )
    )
