"""Holding versions, and letting them go: to single agents, or to everybody.

Why a version is held is for the apps above to say. The caller has locked the stack and runs the transaction.
"""

from collections.abc import Iterable
from uuid import UUID

from agents.errors import VersionSuperseded
from agents.models import HoldReason, VersionHold, VersionRelease
from agents.wanted.versions import newest_unheld
from stacks.models import DeploymentObject


def hold(*, version: DeploymentObject, reason: HoldReason) -> None:
    """Keep the version from everybody it is not released to.

    Only in the transaction that inserts the version: later, an agent may have it already.
    """
    VersionHold.objects.create(version=version, reason=reason)


def lift(*, version: DeploymentObject, reason: HoldReason) -> None:
    """End one reason. When it was the last, the version is for everybody and older versions are held no more."""
    VersionHold.objects.filter(version=version, reason=reason).delete()
    forget_older_holds(version=version)


def lift_all(*, version: DeploymentObject) -> None:
    """End every reason, so that the version is for everybody."""
    VersionHold.objects.filter(version=version).delete()
    forget_older_holds(version=version)


def replace_reason(*, version: DeploymentObject, old: HoldReason, new: HoldReason) -> None:
    """Hold the version for another reason, without a moment in which it is not held."""
    VersionHold.objects.get_or_create(version=version, reason=new)
    VersionHold.objects.filter(version=version, reason=old).delete()


def release(*, version: DeploymentObject, agent_ids: Iterable[UUID]) -> int:
    """Let these agents have the version although it is held; to how many it was not released before."""
    before = set(VersionRelease.objects.filter(version=version).values_list("agent_id", flat=True))
    new = sorted(set(agent_ids) - before)
    VersionRelease.objects.bulk_create(
        (VersionRelease(version=version, agent_id=agent_id) for agent_id in new),
        ignore_conflicts=True,
        batch_size=5_000,
    )
    return len(new)


def require_releasable(*, version: DeploymentObject) -> None:
    """Raises VersionSuperseded when a newer version is for everybody already: nobody would get this one."""
    newest = newest_unheld(version.stack_id)
    if newest is not None and newest.sequence_id > version.sequence_id:
        raise VersionSuperseded(newest_sequence_id=newest.sequence_id)


def forget_older_holds(*, version: DeploymentObject) -> None:
    """End the holds of all older versions of the stack if this one is held by none: nobody can want them any more.

    Whoever publishes a version without a hold calls it too.
    """
    if not VersionHold.objects.filter(version=version).exists():
        VersionHold.objects.filter(version__stack=version.stack_id, version__lt=version.sequence_id).delete()
