"""Which pairs of an agent and a stack a write can touch, by the rows that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Model

from agents.models import Agent, HoldReason, Registration, VersionHold
from generators.models import Generator
from rollouts.models import Freeze, Rollout, RolloutState
from stacks.models import DeploymentObject, Stack

_Ids = frozenset[UUID]
_NONE: _Ids = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """The pairs of these agents and of these stacks. Without agents, all agents; without stacks, all stacks.

    Without the write, `rollout_ids` would not go on; if it `thaws`, versions held by a freeze would stay held.
    """

    agent_ids: _Ids | None = None
    stack_ids: _Ids | None = None
    rollout_ids: _Ids = _NONE
    thaws: bool = False


def scope_of_call(names: Mapping[str, object], *, agent_id: UUID | None = None) -> Scope:
    """The scope of a call of the API with these ids in its path. `agent_id` is an agent that its body names."""
    ids = {name: value for name, value in names.items() if isinstance(value, UUID)}
    agent_id = ids.get("agent_id", agent_id)
    if rollout_id := ids.get("rollout_id"):
        return _of_rollouts([rollout_id])
    stacks: _Ids | None = None
    if object_id := ids.get("object_id"):
        stacks = frozenset(DeploymentObject.objects.filter(id=object_id).values_list("stack_id", flat=True))
    elif generator_id := ids.get("generator_id"):
        stacks = _of_generators([generator_id])
    elif "freeze_id" in ids:
        return Scope(stack_ids=_frozen_stacks(), thaws=True)
    elif stack_id := ids.get("stack_id"):
        stacks = frozenset({stack_id})
    if agent_id is not None:
        return Scope(agent_ids=frozenset({agent_id}), stack_ids=stacks)
    return Scope(stack_ids=stacks or _NONE)


def scope_of_rows(rows: Sequence[Model]) -> Scope:
    """The scope of a change of these rows, which are all of one model. Of other models it is empty."""
    scope = Scope(stack_ids=_NONE)
    if rows:
        ids = [row.pk for row in rows]
        match rows[0]:
            case Agent():
                scope = Scope(agent_ids=frozenset(ids))
            case Stack():
                scope = Scope(stack_ids=frozenset(ids))
            case Generator():
                scope = Scope(stack_ids=_of_generators(ids))
            case Rollout():
                scope = _of_rollouts(ids)
            case Freeze():
                scope = Scope(stack_ids=_frozen_stacks(), thaws=True)
            case Registration():
                agents = Registration.objects.filter(pk__in=ids).values_list("agent_id", flat=True)
                scope = Scope(agent_ids=frozenset(agents))
            case VersionHold():
                versions = VersionHold.objects.filter(pk__in=ids)
                scope = Scope(stack_ids=frozenset(versions.values_list("version__stack_id", flat=True)))
            case DeploymentObject():
                stacks = DeploymentObject.objects.filter(pk__in=ids).values_list("stack_id", flat=True)
                scope = Scope(stack_ids=frozenset(stacks))
    return scope


def _of_rollouts(ids: list[UUID]) -> Scope:
    stacks = Rollout.objects.filter(pk__in=ids).values_list("stack_id", flat=True)
    return Scope(stack_ids=frozenset(stacks), rollout_ids=frozenset(ids))


def _of_generators(ids: list[UUID]) -> _Ids:
    return frozenset(Stack.objects.active().filter(generator__in=ids).values_list("pk", flat=True))


def _frozen_stacks() -> _Ids:
    """The stacks with versions or rollouts that wait for the end of a freeze."""
    held = VersionHold.objects.filter(reason=HoldReason.FREEZE, version__deleted_at__isnull=True)
    queued = Rollout.objects.filter(state=RolloutState.QUEUED)
    return frozenset(
        {*held.values_list("version__stack_id", flat=True), *queued.values_list("stack_id", flat=True)}
    )
