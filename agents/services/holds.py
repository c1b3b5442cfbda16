"""Holding versions, releasing them to single agents, and ending holds.

The apps above decide why a version is held. The caller has locked the stack and opened the transaction.
"""

from collections.abc import Iterable
from uuid import UUID

from agents.errors import VersionSuperseded
from agents.models import HoldReason, VersionHold, VersionRelease
from agents.wanted.versions import newest_unheld
from core import clock
from stacks.models import DeploymentObject


def hold(*, version: DeploymentObject, reason: HoldReason) -> None:
    """Hold the version back from all agents to which it is not released.

    Call it only in the transaction that inserts the version: later, an agent may have the version already.
    """
    VersionHold.objects.create(version=version, reason=reason)


def lift(*, version: DeploymentObject, reason: HoldReason) -> None:
    """End one reason. If it was the last one, all agents get the version, and the holds of older versions end too."""
    VersionHold.objects.filter(version=version, reason=reason).delete()
    forget_older_holds(version=version)


def lift_all(*, version: DeploymentObject) -> None:
    """End all reasons, so that all agents get the version."""
    VersionHold.objects.filter(version=version).delete()
    forget_older_holds(version=version)


def replace_reason(*, version: DeploymentObject, old: HoldReason, new: HoldReason) -> None:
    """Hold the version for another reason. It stays held all the time."""
    VersionHold.objects.get_or_create(version=version, reason=new)
    VersionHold.objects.filter(version=version, reason=old).delete()


def release(*, version: DeploymentObject, agent_ids: Iterable[UUID]) -> int:
    """Release the held version to these agents. Returns to how many of them it was not released before."""
    before = set(VersionRelease.objects.filter(version=version).values_list("agent_id", flat=True))
    new = sorted(set(agent_ids) - before)
    now = clock.now()
    VersionRelease.objects.bulk_create(
        (VersionRelease(version=version, agent_id=agent_id, created_at=now) for agent_id in new),
        ignore_conflicts=True,
        batch_size=5_000,
    )
    return len(new)


def require_releasable(*, version: DeploymentObject) -> None:
    """Raises VersionSuperseded if a newer version is not held: then no agent would get this one."""
    newest = newest_unheld(version.stack_id)
    if newest is not None and newest.sequence_id > version.sequence_id:
        raise VersionSuperseded(newest_sequence_id=newest.sequence_id)


def forget_older_holds(*, version: DeploymentObject) -> None:
    """If this version is not held, end the holds of all older versions of the stack: no agent can get those any more.

    It is also called after a version is published without a hold.
    """
    if not VersionHold.objects.filter(version=version).exists():
        VersionHold.objects.filter(version__stack=version.stack_id, version__lt=version.sequence_id).delete()
