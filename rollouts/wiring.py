"""What this app gives to the apps below: which holds somebody will end, and what a rollout may wait for in vain."""

from uuid import UUID

from agents.models import HoldReason
from agents.unending_holds import register_owners
from rollouts.models import Rollout
from rollouts.owners import owned_by_freezes, owned_by_rollouts
from rollouts.strategies import warnings_about
from stacks.manifests import Code, Finding, Manifest
from stacks.models import DeploymentObject
from stacks.publish_warnings import register_publish_warnings


def warn_of_waves(
    version: DeploymentObject, _manifest: Manifest, _generator_id: UUID | None
) -> list[Finding]:
    """A warning for each wave of the version's rollout that may never be proven. Health does not count for a marker."""
    rollout = None if version.is_deletion_marker else Rollout.objects.filter(version=version).first()
    sentences = [] if rollout is None else warnings_about(rollout.strategy)
    return [Finding(Code.MAY_NEVER_BE_PROVEN, sentence) for sentence in sentences]


register_owners(HoldReason.ROLLOUT, owned_by_rollouts)
register_owners(HoldReason.FREEZE, owned_by_freezes)
register_publish_warnings(warn_of_waves)
