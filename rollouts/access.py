"""Who may see which rollout. Deny by default."""

from uuid import UUID

from django.db.models import Q

from paks.principals import Principal
from rollouts.errors import FreezeNotFound, RolloutNotFound, RolloutStrategyNotFound
from rollouts.models import Freeze, Rollout, RolloutStrategy
from stacks.errors import StackNotOwned


def listable_rollouts(principal: Principal) -> Q:
    """The condition for rollouts in lists: all for an admin, its own for a generator, none for others."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is not None:
        return Q(stack__generator_id=principal.generator_id)
    return Q(pk__in=[])


def find_rollout(rollout_id: UUID) -> Rollout:
    """The rollout with its stack and version. Raises RolloutNotFound."""
    rows = Rollout.objects.with_version().select_related("stack")
    rollout = rows.filter(pk=rollout_id).first()
    if rollout is None:
        raise RolloutNotFound(id=rollout_id)
    return rollout


def require_driver(principal: Principal, rollout: Rollout) -> None:
    """For seeing and driving it. Raises StackNotOwned."""
    if not principal.is_admin and not principal.is_generator(rollout.stack.generator_id):
        raise StackNotOwned


def find_strategy(strategy_id: UUID) -> RolloutStrategy:
    """The live strategy. Raises RolloutStrategyNotFound."""
    row = RolloutStrategy.objects.active().filter(pk=strategy_id).first()
    if row is None:
        raise RolloutStrategyNotFound(id=strategy_id)
    return row


def find_freeze(freeze_id: UUID) -> Freeze:
    """The freeze, lifted or not. Raises FreezeNotFound."""
    freeze = Freeze.objects.filter(pk=freeze_id).first()
    if freeze is None:
        raise FreezeNotFound(id=freeze_id)
    return freeze
