"""The release of a held version by a person."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.errors import VersionSuperseded
from agents.models import HoldReason, VersionHold
from agents.services.holds import lift_all, replace_reason, require_releasable
from core.events import Actor, Event, emit
from rollouts.errors import ReasonRequired, VersionNotHeld
from rollouts.event_kinds import RolloutEventKind
from rollouts.models import Rollout
from rollouts.services.frozen_writes import require_thawed
from rollouts.services.rolled_back_contents import allow_content
from rollouts.services.starting import bring_to_fleet, open_versions_after
from rollouts.services.strategies import strategy_of_stack
from stacks.models import DeploymentObject
from stacks.services import lock_stack


@transaction.atomic
def release_version(
    *,
    version: DeploymentObject,
    reason: str,
    actor: Actor,
    now: datetime,
    override_reason: str | None = None,
) -> Rollout | None:
    """Release a held version: by the stack's strategy, or to all agents at once if the stack has no strategy.

    It is for versions that are held because their content was rolled back or their rollout was aborted. Returns the
    rollout, if there is one. Raises ReasonRequired, StackNotFound, Frozen, VersionNotHeld, VersionSuperseded.
    """
    if not reason.strip():
        raise ReasonRequired
    stack = lock_stack(version.stack_id)
    require_thawed(stack=stack, actor=actor, override_reason=override_reason)
    reasons = set(VersionHold.objects.filter(version=version).values_list("reason", flat=True))
    if not reasons or Rollout.objects.unfinished().filter(version=version).exists():
        raise VersionNotHeld(id=version.id)
    require_releasable(version=version)
    newer = open_versions_after(version).first()
    if newer is not None:
        raise VersionSuperseded("A newer version is released or rolling out.", newest_sequence_id=newer.pk)
    allow_content(version=version)
    _tell(version, reason, actor)
    strategy = strategy_of_stack(stack)
    for held in reasons - {HoldReason.ROLLOUT}:
        replace_reason(version=version, old=HoldReason(held), new=HoldReason.ROLLOUT)
    rollout = bring_to_fleet(stack=stack, version=version, strategy=strategy, actor=actor, now=now)
    if rollout is None:
        lift_all(version=version)
    return rollout


def _tell(version: DeploymentObject, reason: str, actor: Actor) -> None:
    stack_id: UUID = version.stack_id
    emit(
        Event(
            kind=RolloutEventKind.DEPLOYMENT_RELEASED,
            resource_type=DeploymentObject.NOUN,
            resource_id=version.id,
            actor=actor,
            details={"stack_id": str(stack_id), "sequence_id": version.pk, "reason": reason},
            reason=reason,
        )
    )
