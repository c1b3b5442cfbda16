"""What the audit log, the tables and the agents say at the end of a run of rollouts: whether it fits together."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from agents.models import Agent, VersionRelease
from agents.unending_holds import unending_holds
from agents.wanted.versions import wanted_object
from audit.models import AuditLog
from rollouts.models import Rollout, RolloutState
from rollouts.models.rollout import FINAL
from stacks.models import Stack

# An action, and the wave that it is about.
Step = tuple[str, int]
_OF_WAVES = {"rollout.wave_released", "rollout.wave_proven"}


def report() -> dict[str, Any]:
    """`states`: how many rollouts are in which state. `faults`: what is wrong, as sentences."""
    rollouts = list(Rollout.objects.with_version().order_by("version"))
    return {
        "states": Counter(rollout.state for rollout in rollouts),
        "faults": [*_faults(rollouts), *_faults_of_stacks()],
    }


def _faults(rollouts: Sequence[Rollout]) -> Iterator[str]:
    rows: dict[Any, list[AuditLog]] = defaultdict(list)
    for row in AuditLog.objects.filter(resource_type=Rollout.NOUN).order_by("sequence"):
        rows[row.resource_id].append(row)
    for rollout in rollouts:
        for fault in (
            *_faults_of_steps(rollout, rows[rollout.pk]),
            *_faults_of_members(rollout, rows[rollout.pk]),
        ):
            yield f"#{rollout.version_id}, {rollout.state}: {fault}"


def _faults_of_steps(rollout: Rollout, rows: Sequence[AuditLog]) -> Iterator[str]:
    if rollout.state not in FINAL:
        yield "it has not ended"
    doubled = [row for row, times in Counter(_step(row) for row in rows).items() if times > 1]
    if doubled:
        yield f"audited twice: {doubled}"
    taken = [_step(row) for row in rows if row.action in _OF_WAVES]
    due = [
        (action, wave)
        for wave in range(1, rollout.wave + 1)
        for action in ("rollout.wave_released", "rollout.wave_proven")
    ]
    # The newest wave need not be proven.
    if taken not in (due, due[:-1]):
        yield f"its waves were {taken}"
    if rollout.state == RolloutState.SUCCEEDED and (
        taken != due or rollout.wave < len(rollout.strategy.waves)
    ):
        yield f"it succeeded after {taken}"


def _step(row: AuditLog) -> Step:
    return row.action, row.details["wave"] if row.action in _OF_WAVES and row.details else 0


def _faults_of_members(rollout: Rollout, rows: Sequence[AuditLog]) -> Iterator[str]:
    members = dict(rollout.members.values_list("agent", "wave"))
    sizes = Counter(members.values())
    for row in rows:
        if row.action == "rollout.wave_released" and row.details:
            wave, told = row.details["wave"], row.details["members"]
            if sizes[wave] != told:
                yield f"wave {wave} has {sizes[wave]} members and was released to {told}"
    released = set(VersionRelease.objects.filter(version=rollout.version_id).values_list("agent", flat=True))
    if released != set(members):
        yield f"it has {len(members)} members and was released to {len(released)} agents"


def _faults_of_stacks() -> Iterator[str]:
    for each in unending_holds():
        yield f"a hold does not end: {each}"
    for stack in Stack.objects.active():
        wanted = [wanted_object(stack, agent) for agent in Agent.objects.active()]
        contents = {version.yaml_content for version in wanted if version is not None}
        if None in wanted or len(contents) != 1:
            yield f"the agents of {stack} should have {len(contents)} contents"
