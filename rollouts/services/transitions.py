"""How a rollout moves from one state to another: a guarded update, and the event that tells of it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.events import Actor, Event, emit
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import MOVING

# What no report tells of is found out by then: agents that fall silent, come back, join or leave.
MAX_UNLOOKED = timedelta(seconds=60)


class Cause(StrEnum):
    """Why a rollout is in its state, beside the words of `StopReason`."""

    STACK_DELETED = "stack_deleted"
    RESTORED = "restored"
    NEWER_VERSION = "newer_version"
    ROLLED_BACK = "rolled_back"


# Webhooks are not told of the others.
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

    Whether it was. The worker looks at it next, or after `look_in` when it is the one who moves it. `fields` are set
    with it; `facts` are told with it. The instance follows.
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
    for name, value in changes.items():
        setattr(rollout, name, value)
    tell(kind, rollout, actor=actor, facts=facts)
    return True


def tell(
    what: RolloutEventKind, rollout: Rollout, *, actor: Actor, facts: Mapping[str, object] | None = None
) -> None:
    """Say what happened to the rollout. `facts` are what is particular to it."""
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
