"""What this app gives to the apps below: which holds somebody will end, and when a publish needs its attention."""

from agents.models import HoldReason
from agents.unending_holds import register_owners
from rollouts.owners import owned_by_freezes, owned_by_rollouts
from rollouts.unusual_publish import MAY_BE_HELD
from stacks.unusual_publish import register_unusual_publish

register_owners(HoldReason.ROLLOUT, owned_by_rollouts)
register_owners(HoldReason.FREEZE, owned_by_freezes)
register_unusual_publish(MAY_BE_HELD)
