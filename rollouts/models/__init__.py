from rollouts.models.freeze import Freeze
from rollouts.models.rolled_back_content import RolledBackContent
from rollouts.models.rollout import Rollout, RolloutCheck, RolloutMember, RolloutState, RolloutWave
from rollouts.models.strategy import RolloutStrategy, StackRolloutStrategy

__all__ = [
    "Freeze",
    "RolledBackContent",
    "Rollout",
    "RolloutCheck",
    "RolloutMember",
    "RolloutState",
    "RolloutStrategy",
    "RolloutWave",
    "StackRolloutStrategy",
]
