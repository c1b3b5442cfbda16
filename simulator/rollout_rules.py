"""What must hold of rollouts, over what their director and the agents saw. Pure.

- No agent sees a version before its wave may have been released, and none outside of the waves before everybody may.
- Members of a wave are as many as the strategy allows, and no wave is released once more have failed than may.
- A bad version reaches its last wave never, and stops, unless somebody has accepted its failures; a good one ends. Then
  everybody has seen the same.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.invariants import Violation
from simulator.outcomes import Outcome
from simulator.rollout_history import FINAL, VersionStory, WaveStory
from simulator.strategies import CHECK, SimulatedStrategy
from simulator.truth import AgentHistory

# The bound on the p95 of what waves take beyond their soak is one interval between two polls and this much.
_SLACK_SECONDS = 15.0
# Fewer give no p95.
_ENOUGH_WAVES = 20
_ROLL_BACK = "a roll back reaches those who need it"
_STOPPED = FINAL - {"succeeded"} | {"paused"}


@dataclass
class RolloutRun:
    """Everything about rollouts of one run."""

    strategies: Mapping[str, SimulatedStrategy]
    stories: Sequence[VersionStory]
    agents: Sequence[AgentHistory]
    interval: float
    soak: float


@dataclass
class WaveTimes:
    """The seconds that waves took beyond their soak, by strategy and wave; `disturbed` are those during which a process
    of a member was killed, a member was silent, or an outside check was waited for."""

    calm: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    disturbed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def all_calm(self) -> list[float]:
        return sorted(seconds for row in self.calm.values() for seconds in row)


def check_rollouts(run: RolloutRun) -> list[Violation]:
    """The rules that were broken."""
    found: list[Violation] = []
    by_stack: dict[str, list[VersionStory]] = defaultdict(list)
    for story in sorted(run.stories, key=lambda each: each.sequence_id):
        by_stack[story.stack].append(story)
        found += _sizes(run, story) + _budget(run, story) + _end(run, story) + _way_back(run, story)
    for stack, stories in by_stack.items():
        found += _sights(run, stack, stories) + _agreement(run, stories[-1])
    return found + _times(run)


def wave_times(run: RolloutRun) -> WaveTimes:
    """How long each proven wave took."""
    times = WaveTimes()
    for story in run.stories:
        for number, wave in story.waves.items():
            beyond = wave.beyond(run.soak)
            if beyond is not None and story.members:
                rows = times.disturbed if _is_disturbed(run, story, number, wave) else times.calm
                rows[f"{story.strategy} {number}"].append(beyond)
    return times


def bound_of(run: RolloutRun) -> float:
    """The bound in seconds on the p95 of what undisturbed waves take beyond their soak."""
    return run.interval + _SLACK_SECONDS


def are_enough(waves: Sequence[float]) -> bool:
    """Whether so many waves can be held to the bound."""
    return len(waves) >= _ENOUGH_WAVES


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _sights(run: RolloutRun, stack: str, stories: Sequence[VersionStory]) -> list[Violation]:
    found: list[Violation] = []
    by_object = {story.object_id: story for story in stories}
    for agent in run.agents:
        for object_id, sight in agent.sights.items():
            if sight.stack != stack:
                continue
            story = by_object.get(object_id)
            if story is None:
                found += _sight_of_rollback(agent, sight.sequence_id, stories)
                continue
            wave = story.members.get(agent.id)
            if wave is None and story.state not in FINAL and sight.ended > story.members_at:
                # It may have become a member since.
                continue
            opened = story.unheld.before if story.unheld.after < math.inf else math.inf
            if wave is not None:
                opened = min(opened, story.waves[wave].released.before)
            if sight.ended < opened:
                detail = f"#{story.sequence_id} of {story.strategy}, {story.state}, wave {wave}"
                found.append(Violation("no held version before its wave", agent.id, detail))
    return found


def _sight_of_rollback(
    agent: AgentHistory, sequence_id: int, stories: Sequence[VersionStory]
) -> Iterable[Violation]:
    """The version that a roll back made is for those who have got what was rolled back, or anything since."""
    before = [story for story in stories if story.sequence_id < sequence_id]
    if not before:
        # The first version of the stack.
        return
    last = before[-1]
    chain = [story for story in before if story.sequence_id > last.previous]
    if last.state == "rolled_back" and any(agent.id in story.members for story in chain):
        return
    detail = f"#{sequence_id} after #{last.sequence_id} of {last.strategy}, {last.state}"
    yield Violation(_ROLL_BACK, agent.id, detail)


def _way_back(run: RolloutRun, story: VersionStory) -> list[Violation]:
    """Whoever saw what was rolled back, and asked afterwards, has seen something newer."""
    return [
        Violation(_ROLL_BACK, agent.id, f"still #{story.sequence_id} of {story.strategy}")
        for agent in run.agents
        if agent.asked > story.rolled_back.after
        and story.object_id in agent.sights
        and not any(
            sight.stack == story.stack and sight.sequence_id > story.sequence_id
            for sight in agent.sights.values()
        )
    ]


def _sizes(run: RolloutRun, story: VersionStory) -> list[Violation]:
    strategy = run.strategies[story.strategy]
    found = []
    for number, wave in story.waves.items():
        members = sum(each == number for each in story.members.values())
        allowed = strategy.size(number, wave.matched)
        if members > allowed and number < len(strategy.waves):
            detail = f"wave {number} of {story.strategy}: {members} of {wave.matched}"
            found.append(Violation("a wave is as large as it may be", "", detail))
    return found


def _budget(run: RolloutRun, story: VersionStory) -> list[Violation]:
    """From when more failures are acknowledged than may be, no further wave may begin to be released."""
    if "resume" in story.acts:
        # It accepted the failures that there were.
        return []
    failures = sorted(
        (agent.failures[story.object_id].ended, story.members.get(agent.id, 0))
        for agent in run.agents
        if story.object_id in agent.failures
    )
    found = []
    for number, wave in story.waves.items():
        if number == 1 or wave.released_at is None:
            continue
        released = sum(each < number for each in story.members.values())
        allowed = released * run.strategies[story.strategy].budget // 100
        known = [ended for ended, _ in failures if ended < wave.released.before]
        if len(known) > allowed:
            detail = f"wave {number} of #{story.sequence_id}, {story.strategy}: {len(known)} had failed"
            found.append(Violation("no wave after too many failures", "", detail))
    return found


def _end(run: RolloutRun, story: VersionStory) -> list[Violation]:
    last = story.waves.get(len(run.strategies[story.strategy].waves))
    detail = f"#{story.sequence_id} of {story.strategy}, {story.outcome}: {story.state}, {story.acts}"
    if story.outcome == Outcome.GOOD:
        return [] if story.state in FINAL else [Violation("a good version ends", "", detail)]
    # Who resumes accepts the failures so far. Then waves with failed agents may be proven, and the version may succeed.
    is_accepted = "resume" in story.acts
    if last is not None and last.released_at is not None and not is_accepted:
        return [Violation("a bad version never reaches its last wave", "", detail)]
    has_ended = story.state in (_STOPPED | FINAL if is_accepted else _STOPPED)
    return [] if has_ended else [Violation("a bad version stops", "", detail)]


def _agreement(run: RolloutRun, last: VersionStory) -> list[Violation]:
    """Whoever asked after the newest version was for everybody has seen it."""
    if last.state != "succeeded":
        return []
    return [
        Violation("everybody gets what has succeeded", agent.id, f"#{last.sequence_id} of {last.strategy}")
        for agent in run.agents
        if agent.asked > last.unheld.after and last.object_id not in agent.sights
    ]


def _times(run: RolloutRun) -> list[Violation]:
    calm, bound = wave_times(run).all_calm(), bound_of(run)
    p95 = percentile(calm, 0.95)
    if not are_enough(calm) or p95 <= bound:
        return []
    return [Violation("waves are proven in time", "", f"p95 is {p95:.1f} s beyond the soak, not {bound:g}")]


def _is_disturbed(run: RolloutRun, story: VersionStory, number: int, wave: WaveStory) -> bool:
    began, ended = wave.released.before, wave.proven.after
    members = {agent_id for agent_id, each in story.members.items() if each == number}
    return (
        CHECK in run.strategies[story.strategy].waves[number - 1].get("checks", ())
        or bool({"pause", "resume"} & set(story.acts))
        or any(_is_away(agent, began, ended) for agent in run.agents if agent.id in members)
    )


def _is_away(agent: AgentHistory, began: float, ended: float) -> bool:
    """Whether the agent was killed or silent at some moment of this time."""
    return any(began <= kill <= ended for kill in agent.kills) or any(
        silence.began <= ended and silence.ended >= began for silence in agent.silences
    )
