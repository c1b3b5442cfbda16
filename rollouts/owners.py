"""For which held versions somebody answers, so that nothing is held for ever unnoticed."""

from collections.abc import Collection, Set

from rollouts.coverage import covering, holding_freezes
from rollouts.models import Rollout, RolloutState
from stacks.models import DeploymentObject


def owned_by_rollouts(versions: Collection[int]) -> Set[int]:
    """Those with a rollout that has not succeeded. One that has ended otherwise waits for what people do next."""
    rows = Rollout.objects.filter(version__in=versions).exclude(state=RolloutState.SUCCEEDED)
    return set(rows.values_list("version", flat=True))


def owned_by_freezes(versions: Collection[int]) -> Set[int]:
    """Those of whose stack a freeze holds."""
    freezes = holding_freezes()
    rows = DeploymentObject.objects.filter(pk__in=versions).select_related("stack").defer("yaml_content")
    return {row.pk for row in rows if covering(row.stack, freezes) is not None}
