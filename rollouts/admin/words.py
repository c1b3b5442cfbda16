"""Strategies, states and freezes in plain words."""

from django.utils.safestring import SafeString

from agents.models import HoldReason
from core.admin import badge
from core.admin.durations import duration
from rollouts.models import Freeze, Rollout, RolloutState
from rollouts.models.rollout import RUNNING, UNSTARTED
from rollouts.strategies import HealthGate, OnFailure, OnNewer, SilentAgents, Strategy, Wave

STATES = {
    RolloutState.QUEUED: ("queued", "quiet"),
    RolloutState.FROZEN: ("frozen", "bad"),
    RolloutState.WAITING_FOR_APPROVAL: ("waits for approval", "wait"),
    RolloutState.PROGRESSING: ("under way", "wait"),
    RolloutState.PAUSED: ("paused", "bad"),
    RolloutState.SUCCEEDED: ("succeeded", "good"),
    RolloutState.ABORTED: ("aborted", "quiet"),
    RolloutState.ROLLED_BACK: ("rolled back", "bad"),
    RolloutState.SUPERSEDED: ("superseded", "quiet"),
}
HOLDS = {
    HoldReason.ROLLOUT: "reaches the fleet in waves",
    HoldReason.FREEZE: "published while a freeze held",
    HoldReason.ROLLED_BACK_CONTENT: "its content was rolled back before",
    HoldReason.ROLLBACK: "brings the previous content back, in place of a newer one",
    HoldReason.SUPERSEDED: "a newer version took its place",
}


def state_badge(state: str) -> SafeString:
    return badge(*STATES[RolloutState(state)])


def wave_of(rollout: Rollout) -> str:
    """How many of its waves are released: "2 of 3"."""
    if rollout.state in UNSTARTED:
        return "not started"
    return f"{rollout.wave} of {len(rollout.definition['waves'])}"


def members_words(wave: Wave) -> str:
    """Who is in the wave: "10 % of those left"."""
    labelled = f"with the label {' or '.join(wave.labels)}" if wave.labels else ""
    if wave.percent is not None:
        return f"{wave.percent} % of those {labelled or 'left'}"
    if wave.count is not None:
        return f"{wave.count} {'agent' if wave.count == 1 else 'agents'} {labelled}".strip()
    return f"all {labelled}" if labelled else "whoever is left"


def rules_of(wave: Wave) -> list[str]:
    """What it takes to prove the wave, and what stops it, leaving out what need not be said."""
    rules = [f"good for {duration(wave.soak_seconds)}"]
    if wave.health == HealthGate.REQUIRED:
        rules.append("must report health")
    elif wave.health == HealthGate.IGNORED:
        rules.append("health does not count")
    budget = wave.max_failures
    if budget.percent is not None:
        rules.append(f"up to {budget.percent} % may fail")
    elif budget.count:
        rules.append(f"up to {budget.count} may fail")
    if wave.needs_approval:
        rules.append("a person approves it")
    rules += [f"check {name}" for name in wave.checks]
    return [*rules, f"proven within {duration(wave.deadline_seconds)}"]


def steps_of(strategy: Strategy) -> str:
    """The waves in one sentence's part: "canary (1 agent), then rest (whoever is left)"."""
    return ", then ".join(f"{wave.name} ({members_words(wave)})" for wave in strategy.waves)


def habits_of(strategy: Strategy) -> list[str]:
    """What holds for all waves, in sentences."""
    return [
        "A wave that fails rolls back."
        if strategy.on_failure == OnFailure.ROLL_BACK
        else "A wave that fails pauses the rollout.",
        "Silent agents are waited for."
        if strategy.silent == SilentAgents.REQUIRED
        else "Silent agents are not waited for.",
        "A newer version waits for its turn."
        if strategy.on_newer == OnNewer.QUEUE
        else "A newer version takes its place.",
        *(["Whoever published may not approve."] if strategy.approval_by_another else []),
    ]


def scope_words(freeze: Freeze) -> str:
    """What the freeze covers, which comes with its generator."""
    match freeze.scope:
        case Freeze.Scope.FLEET:
            return "the whole fleet"
        case Freeze.Scope.GENERATOR:
            return f"the stacks of {freeze.generator.name}" if freeze.generator else ""
        case _:
            return f"the stacks of agents labelled {freeze.label}"


def is_live(rollout: Rollout) -> bool:
    """Whether there is anything to refresh."""
    return rollout.state in (*UNSTARTED, *RUNNING)
