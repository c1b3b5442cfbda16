"""Rolling back: the previous content is published as a new version.

It must be a new version: in the incremental mode of the target state, a version on which the agent has reported is not
offered to it again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from agents.models import HoldReason, VersionHold
from agents.services.holds import hold, lift_all, release
from agents.wanted.versions import holders_of_unproven
from core.errors import DomainError
from core.events import SYSTEM, Actor
from rollouts.decision import Stop
from rollouts.errors import NewerVersionReleased, NothingToRollBackTo, ReasonRequired, RolloutStateConflict
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import RUNNING, UNFINISHED
from rollouts.services.frozen_writes import require_thawed
from rollouts.services.locking import lock_rollout
from rollouts.services.rolled_back_contents import allow_content, forbid_content
from rollouts.services.starting import open_versions_after
from rollouts.services.transitions import Cause, move
from stacks.models import DeploymentObject
from stacks.services import PublishOptions, publish_checked

_ROLLED_BACK_FROM = (*RUNNING, RolloutState.ABORTED, RolloutState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class RollbackOptions(PublishOptions):
    """The options of a version that brings back the previous content. It starts no rollout; this module releases it."""


@transaction.atomic
def roll_back(
    *, rollout_id: UUID, reason: str, actor: Actor, now: datetime, override_reason: str | None = None
) -> DeploymentObject:
    """Publish the previous content again, for the agents that have got a newer version; the new version.

    Raises RolloutNotFound, ReasonRequired, RolloutStateConflict, NothingToRollBackTo, NewerVersionReleased, Frozen.
    """
    if not reason.strip():
        raise ReasonRequired
    stack, rollout = lock_rollout(rollout_id)
    require_thawed(stack=stack, actor=actor, override_reason=override_reason)
    _require_possible(rollout)
    return _roll_back(rollout, cause="", reason=reason, actor=actor, now=now)


def roll_back_or_pause(*, rollout: Rollout, stop: Stop, now: datetime) -> None:
    """Stop a locked rollout as the decision says. If a rollback is not possible, pause the rollout and say why."""
    reason = f"Check {stop.check}." if stop.check else ""
    if stop.rolls_back:
        try:
            _require_possible(rollout)
            require_thawed(stack=rollout.stack, actor=SYSTEM)
        except DomainError as refusal:
            reason = f"{reason} {refusal.text}".strip()
        else:
            _roll_back(rollout, cause=stop.reason, reason=reason, actor=SYSTEM, now=now)
            return
    move(
        rollout=rollout,
        to=RolloutState.PAUSED,
        among=RUNNING,
        kind=RolloutEventKind.ROLLOUT_PAUSED,
        actor=SYSTEM,
        now=now,
        cause=stop.reason,
        reason=reason,
    )


def _require_possible(rollout: Rollout) -> None:
    if rollout.state not in _ROLLED_BACK_FROM:
        raise RolloutStateConflict(state=rollout.state)
    if rollout.previous_id is None:
        raise NothingToRollBackTo
    queued = Rollout.objects.of_stack(rollout.stack_id).filter(state=RolloutState.QUEUED).values("version")
    newer = open_versions_after(rollout.version).exclude(pk__in=queued).first()
    if newer is not None:
        raise NewerVersionReleased(sequence_id=newer.pk)


def _roll_back(rollout: Rollout, *, cause: str, reason: str, actor: Actor, now: datetime) -> DeploymentObject:
    previous = rollout.previous
    assert previous is not None  # noqa: S101  # looked at before
    # The state does not say it: after an abort, somebody may have released the version to all agents.
    is_for_everybody = not VersionHold.objects.filter(version=rollout.version).exists()
    holders = list(holders_of_unproven(rollout.stack_id, previous.pk))
    version = publish_checked(
        stack_id=rollout.stack_id,
        yaml_content=previous.yaml_content,
        is_deletion_marker=previous.is_deletion_marker,
        actor=actor,
        notes={"rolled_back_to": previous.pk, "rollout_id": str(rollout.pk), "reason": reason or cause},
        options=RollbackOptions(reason=reason),
    )
    if is_for_everybody:
        lift_all(version=version)
    else:
        hold(version=version, reason=HoldReason.ROLLBACK)
        release(version=version, agent_ids=holders)
    forbid_content(version=rollout.version)
    allow_content(version=previous)
    move(
        rollout=rollout,
        to=RolloutState.ROLLED_BACK,
        among=_ROLLED_BACK_FROM,
        kind=RolloutEventKind.ROLLOUT_ROLLED_BACK,
        actor=actor,
        now=now,
        cause=cause,
        reason=reason,
        facts={"rollback_sequence_id": version.pk, "previous_sequence_id": previous.pk},
    )
    _end_others(rollout, version, now)
    return version


def _end_others(rollout: Rollout, version: DeploymentObject, now: datetime) -> None:
    """End the rollouts whose versions no agent may get any more: those that wait, because the version that was just
    published is newer, and the one by which this rollout's version was released after an abort.
    """
    unfinished = Rollout.objects.unfinished().of_stack(rollout.stack_id)
    for other in unfinished.filter(Q(state=RolloutState.QUEUED) | Q(version=rollout.version)).with_version():
        move(
            rollout=other,
            to=RolloutState.SUPERSEDED,
            among=UNFINISHED,
            kind=RolloutEventKind.ROLLOUT_SUPERSEDED,
            actor=SYSTEM,
            now=now,
            cause=Cause.ROLLED_BACK,
            facts={"by_sequence_id": version.pk},
        )
