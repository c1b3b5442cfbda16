"""What agents should have at one moment, in the scope of a write."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from agents.models import Agent, HoldReason, VersionHold
from agents.wanted.pairs import Pairs, wanted_pairs
from plans.scopes import Scope
from rollouts.models import Rollout, StackRolloutStrategy
from stacks.models import DeploymentObject

# Holds that end without a person: at the end of the rollout, and of the freeze.
_ENDING = {HoldReason.ROLLOUT, HoldReason.FREEZE}


class VersionFacts(NamedTuple):
    checksum: str
    is_marker: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who should have what, with what a plan says of the versions, stacks and agents in it.

    `holds` has the reasons why the newest version of a stack is held, `strategies` the strategy of a stack with its
    revision, `rollouts` the definitions of unfinished rollouts by id, with their stacks.
    """

    pairs: Pairs = field(default_factory=dict)
    versions: Mapping[int, VersionFacts] = field(default_factory=dict)
    holds: Mapping[UUID, Sequence[str]] = field(default_factory=dict)
    strategies: Mapping[UUID, str] = field(default_factory=dict)
    rollouts: Mapping[UUID, tuple[UUID, Mapping[str, object]]] = field(default_factory=dict)
    statuses: Mapping[UUID, str] = field(default_factory=dict)


def take(scope: Scope, *, is_before: bool) -> Snapshot:
    """The present state. Before the write, what it decides counts as going no further."""
    rollouts = _unfinished(scope.stack_ids)
    held = _held(scope.stack_ids)
    stopped = scope.rollout_ids if is_before else frozenset()
    moving = {version for pk, (version, _, _) in rollouts.items() if pk not in stopped}
    ending: dict[UUID, int] = {}
    for (stack_id, version), reasons in held.items():
        if (
            reasons <= _ENDING
            and (HoldReason.ROLLOUT not in reasons or version in moving)
            and not (is_before and scope.thaws and HoldReason.FREEZE in reasons)
        ):
            ending[stack_id] = max(version, ending.get(stack_id, 0))
    pairs = wanted_pairs(agent_ids=scope.agent_ids, stack_ids=scope.stack_ids, ending=ending)
    stack_ids = scope.stack_ids if scope.stack_ids is not None else {stack_id for _, stack_id in pairs}
    return Snapshot(
        pairs=pairs,
        versions=_versions({pk for wanted in pairs.values() for pk in wanted if pk is not None}),
        holds=_newest_holds(held),
        strategies=_strategies(stack_ids),
        rollouts={pk: (stack_id, definition) for pk, (_, stack_id, definition) in rollouts.items()},
        statuses=_statuses(scope.agent_ids),
    )


def _unfinished(stack_ids: Collection[UUID] | None) -> dict[UUID, tuple[int, UUID, Mapping[str, object]]]:
    rows = _near(Rollout.objects.unfinished(), "stack", stack_ids)
    return {pk: tuple(rest) for pk, *rest in rows.values_list("pk", "version_id", "stack_id", "definition")}


def _held(stack_ids: Collection[UUID] | None) -> dict[tuple[UUID, int], set[str]]:
    rows = VersionHold.objects.filter(
        version__deleted_at__isnull=True, version__stack__deleted_at__isnull=True
    )
    found: dict[tuple[UUID, int], set[str]] = defaultdict(set)
    near = _near(rows, "version__stack", stack_ids)
    for stack_id, version, reason in near.values_list("version__stack_id", "version_id", "reason"):
        found[stack_id, version].add(reason)
    return found


def _newest_holds(held: Mapping[tuple[UUID, int], set[str]]) -> dict[UUID, list[str]]:
    return {stack_id: sorted(reasons) for (stack_id, _), reasons in sorted(held.items())}


def _versions(ids: Collection[int]) -> dict[int, VersionFacts]:
    rows = DeploymentObject.objects.filter(pk__in=ids)
    values = rows.values_list("pk", "yaml_checksum", "is_deletion_marker")
    return {pk: VersionFacts(checksum, is_marker) for pk, checksum, is_marker in values}


def _strategies(stack_ids: Collection[UUID]) -> dict[UUID, str]:
    rows = StackRolloutStrategy.objects.filter(stack__in=stack_ids)
    values = rows.values_list("stack_id", "strategy_id", "strategy__revision")
    return {stack_id: f"{strategy_id} {revision}" for stack_id, strategy_id, revision in values}


def _statuses(agent_ids: Collection[UUID] | None) -> dict[UUID, str]:
    if agent_ids is None:
        return {}
    return dict(Agent.objects.active().filter(pk__in=agent_ids).values_list("pk", "status"))


def _near(rows: Any, column: str, stack_ids: Collection[UUID] | None) -> Any:
    return rows if stack_ids is None else rows.filter(**{f"{column}__in": stack_ids})
