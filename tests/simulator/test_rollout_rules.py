"""The rules of the simulator for rollouts find every fault that is planted, and none where there is none."""

import math

import pytest

from simulator.outcomes import Outcome, manifest_of, outcome_of
from simulator.rollout_history import Between, VersionStory, WaveStory, story_from
from simulator.rollout_rules import RolloutRun, check_rollouts, wave_times
from simulator.strategies import strategies
from simulator.truth import AgentHistory, Sight, Span

SOAK = 10
# Ten agents by `canary`: one, then a tenth of the others, then the rest; released at 100, 200 and 300.
WAVES = {1: range(1), 2: range(1, 2), 3: range(2, 10)}


def iso(second: float) -> str:
    return f"2026-11-24T09:{int(second) // 60:02}:{int(second) % 60:02}.000000Z"


def run_of(story: VersionStory, agents: list[AgentHistory]) -> RolloutRun:
    listed = {each.name: each for each in strategies(soak=SOAK, deadline=100)}
    return RolloutRun(listed, [story], agents, interval=30, soak=SOAK)


def wave_of(at: float, matched: int) -> WaveStory:
    return WaveStory(Between(at, at + 1), Between(at + 20, at + 21), iso(at), iso(at + 20), matched)


@pytest.fixture
def story() -> VersionStory:
    """A good version that has reached everybody."""
    return VersionStory(
        "canary",
        "stack",
        "object",
        2,
        Outcome.GOOD,
        rollout="rollout",
        previous=1,
        state="succeeded",
        unheld=Between(320, 321),
        waves={1: wave_of(100, 10), 2: wave_of(200, 9), 3: wave_of(300, 8)},
        members={str(number): wave for wave, numbers in WAVES.items() for number in numbers},
    )


@pytest.fixture
def agents() -> list[AgentHistory]:
    """Each has seen the version five seconds after its wave was released."""
    return [
        AgentHistory(str(number), "", (), sights={"object": Sight("stack", 2, wave * 100 + 5)}, asked=900)
        for wave, numbers in WAVES.items()
        for number in numbers
    ]


def broken(run: RolloutRun) -> set[str]:
    return {violation.rule for violation in check_rollouts(run)}


def stop(story: VersionStory, state: str = "aborted") -> None:
    """Make it a bad version that stopped in its second wave."""
    story.outcome, story.state, story.unheld = Outcome.FAILS, state, Between(900, math.inf)
    story.waves[3] = WaveStory()
    story.members = {name: wave for name, wave in story.members.items() if wave < 3}


def test_nothing_is_found_where_nothing_is_wrong(story, agents):
    assert broken(run_of(story, agents)) == set()


def test_nothing_is_found_where_a_bad_version_stopped(story, agents):
    stop(story)
    assert broken(run_of(story, agents[:2])) == set()


def test_what_one_process_tells_another_is_the_same(story):
    stop(story)
    data = story.as_data()
    assert story_from(data | {"members_at": None}).members_at == math.inf
    assert story_from(data) == story


def test_a_sight_before_the_release_of_the_wave_is_found(story, agents):
    agents[5].sights["object"].ended = 250
    assert broken(run_of(story, agents)) == {"no held version before its wave"}


def test_a_sight_outside_of_the_waves_is_found(story, agents):
    stop(story)
    assert broken(run_of(story, agents)) == {"no held version before its wave"}


def test_a_sight_after_the_members_were_read_is_none_while_waves_are_still_released(story, agents):
    stop(story, "paused")
    story.members_at = 250
    for agent in agents[2:]:
        agent.sights["object"].ended = 251
    assert broken(run_of(story, agents)) == set()


def test_a_roll_back_is_for_those_in_the_waves(story, agents):
    stop(story, "rolled_back")
    for agent in agents[:3]:
        agent.sights = {"back": Sight("stack", 3, 400)}
    assert broken(run_of(story, agents[:2])) == set()
    assert broken(run_of(story, agents[:3])) == {"a roll back reaches those who need it"}


def test_a_roll_back_that_does_not_reach_who_needs_it_is_found(story, agents):
    stop(story, "rolled_back")
    story.rolled_back = Between(390, 391)
    assert broken(run_of(story, agents[:2])) == {"a roll back reaches those who need it"}
    for agent in agents[:2]:
        agent.sights["back"] = Sight("stack", 3, 400)
    assert broken(run_of(story, agents[:2])) == set()
    agents[0].sights.pop("back")
    agents[0].asked = 380
    assert broken(run_of(story, agents[:2])) == set()


def test_a_wave_that_is_too_large_is_found(story, agents):
    story.members["9"] = 2
    agents[9].sights["object"].ended = 400
    assert broken(run_of(story, agents)) == {"a wave is as large as it may be"}


def test_a_wave_after_a_failure_is_found(story, agents):
    agents[0].failures["object"] = Span(150, 151)
    assert broken(run_of(story, agents)) == {"no wave after too many failures"}


def test_a_failure_that_may_not_have_arrived_before_the_wave_is_none(story, agents):
    agents[0].failures["object"] = Span(199, 202)
    story.waves[3].released = Between(201, 301)
    assert broken(run_of(story, agents)) == set()


def test_a_bad_version_that_reaches_the_last_wave_is_found(story, agents):
    story.outcome = Outcome.FAILS
    assert broken(run_of(story, agents)) == {"a bad version never reaches its last wave"}


def test_a_bad_version_whose_failures_were_accepted_may_reach_everybody(story, agents):
    story.outcome = Outcome.FAILS
    story.acts.append("resume")
    assert broken(run_of(story, agents)) == set()
    story.state = "progressing"
    assert broken(run_of(story, agents)) == {"a bad version stops"}


def test_a_bad_version_that_goes_on_is_found(story, agents):
    stop(story, "progressing")
    assert broken(run_of(story, agents[:2])) == {"a bad version stops"}


def test_a_good_version_that_does_not_end_is_found(story, agents):
    story.state = "progressing"
    assert broken(run_of(story, agents)) == {"a good version ends"}


def test_an_agent_that_asks_and_does_not_see_what_succeeded_is_found(story, agents):
    agents[4].sights = {}
    assert broken(run_of(story, agents)) == {"everybody gets what has succeeded"}


def test_an_agent_that_has_not_asked_since_a_version_succeeded_need_not_have_seen_it(story, agents):
    agents[4].sights, agents[4].asked = {}, 320.5
    assert broken(run_of(story, agents)) == set()


def test_waves_with_a_killed_or_a_silent_member_are_told_apart(story, agents):
    agents[0].silences.append(Span(90, 110))
    agents[1].kills = [205.0, 305.0]
    times = wave_times(run_of(story, agents))
    assert dict(times.calm) == {"canary 3": [10.0]}
    assert dict(times.disturbed) == {"canary 1": [10.0], "canary 2": [10.0]}


def test_slow_waves_are_found_once_there_are_enough(story, agents):
    for wave in story.waves.values():
        wave.proven_at = iso(1000)
    run = run_of(story, agents)
    assert broken(run) == set()
    run.stories = [story] * 7
    assert "waves are proven in time" in broken(run)


def test_an_agent_reads_the_outcome():
    assert outcome_of(manifest_of(Outcome.FAILS, 7)) == Outcome.FAILS
    assert outcome_of("kind: ConfigMap") == Outcome.GOOD
