"""What a rollout waits for, in one sentence. The API, the admin and explanations use the same sentences."""

from datetime import datetime, timedelta

from agents.models import Agent
from agents.wanted.ties import serving_agents
from rollouts.counts import absent_agents, read_facts, undecided_members
from rollouts.coverage import freeze_of_stack
from rollouts.decision import StopReason, Verdict, WaveFacts, deadline_of
from rollouts.models import Freeze, Rollout, RolloutState

_STOPPED = {
    StopReason.TOO_MANY_FAILURES: "more agents fail than the strategy allows",
    StopReason.ALL_FAILING: "all agents of the wave fail",
    StopReason.CHECK_FAILED: "a check failed",
    StopReason.DEADLINE_PASSED: "the wave was not proven in time",
    "stack_deleted": "its stack was deleted",
    "restored": "the database was restored",
    "newer_version": "a newer version took its place",
    "rolled_back": "the rollout before it was rolled back",
}


def waits_for(rollout: Rollout, *, now: datetime) -> str:
    """What has to happen next, or how the rollout ended and why. A few queries; none for rollouts that have ended.

    "Wave 2 waits for 4 of 40 agents, the first is eu-7, silent since 02:10."
    """
    match rollout.state:
        case RolloutState.QUEUED:
            return "Waits for the end of the rollout before it."
        case RolloutState.FROZEN:
            return _frozen(freeze_of_stack(rollout.stack))
        case RolloutState.PAUSED:
            return f"Paused{_by(rollout)}{_why(rollout)}."
        case RolloutState.PROGRESSING | RolloutState.WAITING_FOR_APPROVAL:
            return _moving(rollout, now)
        case RolloutState.SUCCEEDED if rollout.is_skipped:
            return f"Skipped{_by(rollout)}{_why(rollout)}."
        case _:
            word = RolloutState(rollout.state).label.capitalize()
            return f"{word}{_by(rollout)}{_why(rollout)}."


def held_back(rollout: Rollout, *, now: datetime) -> str:
    """Why an agent that is in no released wave does not have the version yet."""
    waves = len(rollout.strategy.waves)
    released = f"wave {rollout.wave}" if rollout.wave else "none"
    return f"Held back: {released} of {waves} is released. {waits_for(rollout, now=now)}"


def reason_of(rollout: Rollout) -> str:
    """Why it is in its state, by the rule that stopped it and by what a person wrote; empty when nobody said."""
    parts = [_STOPPED.get(rollout.cause, ""), rollout.reason.rstrip(".")]
    return ". ".join(part for part in parts if part)


def _moving(rollout: Rollout, now: datetime) -> str:
    freeze = freeze_of_stack(rollout.stack)
    if freeze is not None:
        return _frozen(freeze)
    if rollout.state == RolloutState.WAITING_FOR_APPROVAL:
        return f"Wave {rollout.wave + 1} waits for approval."
    facts = read_facts(rollout, is_frozen=False, now=now).facts
    if facts.wave is None:
        return "Wave 1 is about to be released."
    if any(wave.number == rollout.wave and wave.proven_at for wave in rollout.waves.all()):
        return f"Wave {rollout.wave} is proven."
    return _wave(rollout, facts.wave, now)


def _wave(rollout: Rollout, wave: WaveFacts, now: datetime) -> str:
    rule = rollout.strategy.wave(wave.number)
    name = f"Wave {wave.number}"
    deadline = f"until {_time(deadline_of(rule, wave), now)}"
    if wave.members and not wave.counted:
        deferred = wave.members
        return f"{name} waits for any of its {_agents(deferred)}: all were silent or inactive when it was released."
    if wave.waiting:
        return (
            f"{name} waits for {wave.waiting} of {_agents(wave.counted)}, {_first(rollout, now)}, {deadline}."
        )
    missing = [check for check in rule.checks if wave.checks.get(check) != Verdict.PASSED]
    if missing:
        return f"{name} waits for the check {missing[0]}, {deadline}."
    if wave.matched and not wave.members:
        return f"All agents of wave {wave.number} have left the stack."
    if wave.matched and not wave.proven and not wave.accepted:
        return f"{name} waits for an agent that proves it: {wave.failing} fail, {deadline}."
    return f"{name} is proven."


def _first(rollout: Rollout, now: datetime) -> str:
    """The first agent that the wave waits for, and what it last did."""
    member = undecided_members(rollout).select_related("agent__heartbeat").order_by("agent__name").first()
    if member is None:
        return "who is about to prove it"
    agent: Agent = member.agent
    absent = serving_agents(rollout.stack).filter(pk__in=absent_agents(now).values("pk"))
    last = agent.heartbeat.last_heartbeat
    if absent.filter(pk=agent.pk).exists() and last is not None and last < now:
        return f"the first is {agent.name}, silent since {_time(last, now)}"
    return f"the first is {agent.name}"


def _frozen(freeze: Freeze | None) -> str:
    if freeze is None:
        return "The freeze is over; it is about to start."
    until = f" until {freeze.until:%Y-%m-%d %H:%M} UTC" if freeze.until is not None else ""
    return f"Frozen by {freeze.created_by}{until}: {freeze.reason.rstrip('.')}."


def _by(rollout: Rollout) -> str:
    return f" by {rollout.changed_by}" if rollout.changed_by and rollout.changed_by != "system" else ""


def _why(rollout: Rollout) -> str:
    found = reason_of(rollout)
    return f": {found}" if found else ""


def _agents(count: int) -> str:
    return f"{count} agent" if count == 1 else f"{count} agents"


def _time(moment: datetime, now: datetime) -> str:
    """Hours and minutes, in UTC, with the date if it is on a later day or was more than a day ago."""
    is_near = moment.date() == now.date() or timedelta(0) < now - moment < timedelta(hours=24)
    return f"{moment:%H:%M} UTC" if is_near else f"{moment:%Y-%m-%d %H:%M} UTC"
