"""Strategies with their names, and which stack has which."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import Resource
from core.moments import MomentField
from core.validators import MAX_NAME
from rollouts.querysets import RolloutStrategyQuerySet
from rollouts.strategies import Strategy, strategy_from_json
from stacks.models import Stack


class RolloutStrategy(Resource):
    """A strategy that stacks may have. Each rollout has a copy, so that a change does not affect running rollouts."""

    NOUN: ClassVar[str] = "rollout_strategy"

    name = models.CharField(max_length=MAX_NAME)
    # The strategy without its name, as `strategies.strategy_to_json` writes it.
    definition = models.JSONField()
    # The number of changes.
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = RolloutStrategyQuerySet.as_manager()

    class Meta:
        db_table = "rollout_strategies"
        verbose_name_plural = "rollout strategies"
        permissions = [("bypass", "Can publish past the strategy of a stack, and change which it has")]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="unique_rollout_strategy_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def strategy(self) -> Strategy:
        """The strategy as an object, with its waves."""
        return strategy_from_json(self.name, self.definition)


class StackRolloutStrategy(models.Model):
    """The strategy for new versions of a stack. If a stack has none, all agents get a new version at once."""

    stack = models.OneToOneField(
        Stack, on_delete=models.CASCADE, primary_key=True, related_name="rollout_strategy"
    )
    strategy = models.ForeignKey(RolloutStrategy, on_delete=models.PROTECT, related_name="stacks")
    created_at = MomentField(editable=False)

    class Meta:
        db_table = "stack_rollout_strategies"

    def __str__(self) -> str:
        return f"{self.stack_id} {self.strategy_id}"
