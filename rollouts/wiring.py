"""What this app gives to the apps below: which holds somebody will end."""

from agents.models import HoldReason
from agents.unending_holds import register_owners
from rollouts.owners import owned_by_freezes, owned_by_rollouts

register_owners(HoldReason.ROLLOUT, owned_by_rollouts)
register_owners(HoldReason.FREEZE, owned_by_freezes)
