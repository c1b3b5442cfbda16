"""Which caller may see which rollout. Everything that is not allowed here is denied."""

from uuid import UUID

from django.db.models import Q

from paks.principals import Principal
from rollouts.errors import FreezeNotFound, RolloutNotFound, RolloutStrategyNotFound
from rollouts.models import Freeze, Rollout, RolloutStrategy
from stacks.errors import StackNotOwned


def listable_rollouts(principal: Principal) -> Q:
    """The condition for rollouts in lists: all for an admin, a generator's own ones for it, none for other callers."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is not None:
        return Q(stack__generator_id=principal.generator_id)
    return Q(pk__in=[])


def find_rollout(rollout_id: UUID) -> Rollout:
    """The rollout with all that is told of it. Raises RolloutNotFound."""
    rows = Rollout.objects.with_versions().select_related("stack").prefetch_related("waves", "checks")
    rollout = rows.filter(pk=rollout_id).first()
    if rollout is None:
        raise RolloutNotFound(id=rollout_id)
    return rollout


def require_driver(principal: Principal, rollout: Rollout) -> None:
    """Require a caller that may see and control the rollout. Raises StackNotOwned."""
    if not principal.is_admin and not principal.is_generator(rollout.stack.generator_id):
        raise StackNotOwned


def find_strategy(strategy_id: UUID) -> RolloutStrategy:
    """The live strategy. Raises RolloutStrategyNotFound."""
    row = RolloutStrategy.objects.active().filter(pk=strategy_id).first()
    if row is None:
        raise RolloutStrategyNotFound(id=strategy_id)
    return row


def visible_freezes(principal: Principal) -> Q:
    """The condition for freezes: all for an admin, all but those of other generators for a generator."""
    if principal.is_admin:
        return Q()
    if principal.generator_id is None:
        return Q(pk__in=[])
    return ~Q(scope=Freeze.Scope.GENERATOR) | Q(generator=principal.generator_id)


def find_freeze(freeze_id: UUID, principal: Principal) -> Freeze:
    """The freeze, lifted or not. Raises FreezeNotFound, also for a freeze that the caller may not see."""
    freeze = Freeze.objects.filter(visible_freezes(principal), pk=freeze_id).first()
    if freeze is None:
        raise FreezeNotFound(id=freeze_id)
    return freeze
