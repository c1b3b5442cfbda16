"""How the search of the admin finds rollouts, strategies and freezes."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder, version_number
from rollouts.admin.words import STATES
from rollouts.models import Freeze, Rollout, RolloutState, RolloutStrategy


def _rollouts(text: str, limit: int) -> Sequence[Hit]:
    by = is_id(text) or Q(stack__name__icontains=text) | Q(strategy_name__icontains=text)
    if (number := version_number(text)) is not None:
        by = Q(version=number)
    rows = Rollout.objects.filter(by).select_related("stack").order_by("-created_at", "-id")[:limit]
    return [
        Hit(
            f"{row.stack.name} #{row.version_id}",
            f"{row.strategy_name}, {STATES[RolloutState(row.state)][0]}",
            reverse("admin:rollouts_rollout_change", args=[row.pk]),
        )
        for row in rows
    ]


def _strategies(text: str, limit: int) -> Sequence[Hit]:
    rows = RolloutStrategy.objects.active().filter(is_id(text) or Q(name__icontains=text)).order_by("name")
    return [
        Hit(row.name, "", reverse("admin:rollouts_rolloutstrategy_change", args=[row.pk]))
        for row in rows[:limit]
    ]


def _freezes(text: str, limit: int) -> Sequence[Hit]:
    by = Q(reason__icontains=text) | Q(label__icontains=text) | Q(generator__name__icontains=text)
    rows = Freeze.objects.filter(is_id(text) or by).order_by("-created_at", "-id")
    return [
        Hit(
            row.reason[:80],
            "holds" if row.lifted_at is None else "lifted",
            reverse("admin:rollouts_freeze_change", args=[row.pk]),
        )
        for row in rows[:limit]
    ]


register_finder("Rollouts", _rollouts, "rollouts.view_rollout")
register_finder("Strategies", _strategies, "rollouts.view_rolloutstrategy")
register_finder("Freezes", _freezes, "rollouts.view_freeze")
