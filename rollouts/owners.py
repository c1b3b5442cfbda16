"""Which holds somebody will still end, so that a hold that nobody will end can be reported."""

from collections.abc import Collection, Set

from rollouts.coverage import covering, holding_freezes
from rollouts.models import Rollout, RolloutState
from stacks.models import DeploymentObject


def owned_by_rollouts(versions: Collection[int]) -> Set[int]:
    """The versions with a rollout that has not succeeded. If it has ended in another way, people have to act next."""
    rows = Rollout.objects.filter(version__in=versions).exclude(state=RolloutState.SUCCEEDED)
    return set(rows.values_list("version", flat=True))


def owned_by_freezes(versions: Collection[int]) -> Set[int]:
    """The versions whose stack is covered by a freeze."""
    freezes = holding_freezes()
    rows = DeploymentObject.objects.filter(pk__in=versions).select_related("stack").defer("yaml_content")
    return {row.pk for row in rows if covering(row.stack, freezes) is not None}
