"""Which caller may see which rollout. Everything that is not allowed here is denied."""

from uuid import UUID

from django.db.models import Q

from agents.models import AgentLabel
from agents.wanted.ties import agents_serving_any
from paks.principals import Principal
from rollouts.errors import FreezeNotFound, RolloutNotFound, RolloutStrategyNotFound
from rollouts.models import Freeze, Rollout, RolloutStrategy
from stacks.access import reached_stacks, require_owner


def listable_rollouts(principal: Principal) -> Q:
    """The condition for rollouts in lists: all for an admin, else those of stacks that the caller may list."""
    return Q() if principal.is_admin else Q(stack__in=reached_stacks(principal).values("pk"))


def find_rollout(rollout_id: UUID) -> Rollout:
    """The rollout with all that is told of it. Raises RolloutNotFound."""
    rows = Rollout.objects.with_versions().select_related("stack").prefetch_related("waves", "checks")
    rollout = rows.filter(pk=rollout_id).first()
    if rollout is None:
        raise RolloutNotFound(id=rollout_id)
    return rollout


def require_driver(principal: Principal, rollout: Rollout) -> None:
    """Require a caller that may see and control the rollout. Raises StackNotOwned."""
    require_owner(principal, rollout.stack)


def find_strategy(strategy_id: UUID) -> RolloutStrategy:
    """The live strategy. Raises RolloutStrategyNotFound."""
    row = RolloutStrategy.objects.active().filter(pk=strategy_id).first()
    if row is None:
        raise RolloutStrategyNotFound(id=strategy_id)
    return row


def visible_freezes(principal: Principal) -> Q:
    """The condition for freezes: all for an admin, all but those of other generators for a generator.

    A key with limits sees of freezes of a label only those that cover a stack which it reaches.
    """
    if principal.is_admin:
        return Q()
    generator_id = principal.generator_id
    if generator_id is None:
        return Q(pk__in=[])
    if principal.limits is None:
        return ~Q(scope=Freeze.Scope.GENERATOR) | Q(generator=generator_id)
    agents = agents_serving_any(reached_stacks(principal), generator_id=generator_id)
    labels = AgentLabel.objects.filter(agent__in=agents.values("pk")).values("label")
    return Q(scope=Freeze.Scope.FLEET) | Q(generator=generator_id) | Q(label__in=labels)


def find_freeze(freeze_id: UUID, principal: Principal) -> Freeze:
    """The freeze, lifted or not. Raises FreezeNotFound, also for a freeze that the caller may not see."""
    freeze = Freeze.objects.filter(visible_freezes(principal), pk=freeze_id).first()
    if freeze is None:
        raise FreezeNotFound(id=freeze_id)
    return freeze
