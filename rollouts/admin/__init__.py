"""The admin's pages of rollouts, strategies, freezes and held versions; one module per page."""

from rollouts.admin import delivery, finders, members, stack_page
from rollouts.admin.freezes import FreezeAdmin, shown_freezes
from rollouts.admin.held_versions import VersionHoldAdmin
from rollouts.admin.rollouts import RolloutAdmin
from rollouts.admin.running import running_context
from rollouts.admin.strategies import RolloutStrategyAdmin

__all__ = [
    "FreezeAdmin",
    "RolloutAdmin",
    "RolloutStrategyAdmin",
    "VersionHoldAdmin",
    "delivery",
    "finders",
    "members",
    "running_context",
    "shown_freezes",
    "stack_page",
]
