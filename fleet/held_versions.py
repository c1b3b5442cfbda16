"""Which newer version is kept from an agent, and why; and with which wave it got the one it should have."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from agents.models import Agent, HoldReason
from agents.wanted.versions import held_versions
from rollouts.models import Rollout, RolloutMember
from rollouts.sentences import held_back
from stacks.models import DeploymentObject, Stack


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version that the agent is not to have yet. `rollout` is None where none brings it to the fleet."""

    sequence_id: int
    reasons: Set[str]
    rollout: Rollout | None
    sentence: str

    @property
    def is_frozen(self) -> bool:
        return HoldReason.FREEZE in self.reasons


@dataclass(frozen=True, slots=True)
class ReleasedWave:
    """The wave of the rollout that brings the agent its version; `is_deferred` members get it when they are heard."""

    rollout_id: UUID
    sequence_id: int
    number: int
    count: int
    is_deferred: bool


def held_from(
    agent: Agent, stack: Stack, wanted: DeploymentObject | None, *, now: datetime
) -> HeldVersion | None:
    """The version that the agent gets next, of the held ones that are newer than what it should have of a live stack.

    None after a rollback: what the agent has is what the rollback brings to the others.
    """
    if stack.deleted_at is not None or (wanted is not None and wanted.recipient_id is not None):
        return None
    rows = held_versions(stack.pk).filter(pk__gt=wanted.pk if wanted is not None else 0)
    barred = None
    for version in rows.newest_first().defer("yaml_content").prefetch_related("holds"):
        reasons = {hold.reason for hold in version.holds.all()}
        if HoldReason.ROLLED_BACK_CONTENT in reasons:
            # It supersedes nothing, so that an older one may come before somebody releases it.
            barred = barred or (version, reasons)
        elif HoldReason.ROLLBACK in reasons:
            break
        elif HoldReason.SUPERSEDED not in reasons:
            return _held(version, reasons, agent, now)
    return _held(*barred, agent, now) if barred is not None else None


def wave_of(agent: Agent, wanted: DeploymentObject | None) -> ReleasedWave | None:
    """The latest released wave with that version that the agent is in."""
    members = RolloutMember.objects.filter(agent=agent, rollout__version=wanted).select_related("rollout")
    member = members.order_by("-rollout__created_at").first() if wanted is not None else None
    if member is None:
        return None
    count = len(member.rollout.strategy.waves)
    return ReleasedWave(member.rollout_id, member.rollout.version_id, member.wave, count, member.is_deferred)


def _held(version: DeploymentObject, reasons: Set[str], agent: Agent, now: datetime) -> HeldVersion:
    rollout = Rollout.objects.filter(version=version).select_related("stack", "version").last()
    return HeldVersion(version.pk, reasons, rollout, _sentence(version, reasons, rollout, agent, now))


def _sentence(
    version: DeploymentObject, reasons: Set[str], rollout: Rollout | None, agent: Agent, now: datetime
) -> str:
    if HoldReason.ROLLED_BACK_CONTENT in reasons:
        return f"Version #{version.pk} is held back: its content was rolled back before, and somebody must release it."
    if rollout is None:
        why = " until the end of a freeze" if HoldReason.FREEZE in reasons else ""
        return f"Version #{version.pk} is held back{why}."
    member = RolloutMember.objects.filter(rollout=rollout, agent=agent).first()
    if member is not None:
        return (
            f"Version #{version.pk} comes when the agent is heard again: it was silent or inactive when wave "
            f"{member.wave} was released."
        )
    return held_back(rollout, now=now)
