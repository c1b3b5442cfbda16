"""Decides what a rollout does next, from given facts. Pure: it reads no clock and no database.

The order of the questions is part of the rule (docs/rollouts.md): first what stops the rollout, then whether the wave
is proven, then what follows. One call gives one step. After a step, the caller asks again. So nothing is lost when a
worker dies between two steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rollouts.strategies import OnFailure, Strategy, Wave


class Verdict(StrEnum):
    """What an outside check says about a wave."""

    PASSED = "passed"
    FAILED = "failed"


class StopReason(StrEnum):
    TOO_MANY_FAILURES = "too_many_failures"
    ALL_FAILING = "all_failing"
    CHECK_FAILED = "check_failed"
    DEADLINE_PASSED = "deadline_passed"


@dataclass(frozen=True, slots=True)
class WaveFacts:
    """The numbers of members of the newest released wave. Members that have left the stack are not counted.

    Of the `members`, `counted` decide about the wave; the others are deferred. Of the counted members, `proven` have
    been good for the whole soak and `failing` have reported a failure. Of the failing members, `accepted` were
    accepted by a resume. The wave waits for all other counted members.
    """

    number: int
    # When the deadline began to run: at the release, at the latest resume or at the end of a freeze.
    running_since: datetime
    matched: int
    members: int = 0
    counted: int = 0
    proven: int = 0
    failing: int = 0
    accepted: int = 0
    # The earliest moment at which a member that is good now will have been good for the whole soak.
    next_proof_at: datetime | None = None
    checks: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        return self.counted - self.proven - self.failing


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a rollout that is progressing or waits for approval.

    Waves are numbered from 1. `wave` is the newest released wave, None before the first. `released` and `failing` count
    members of all released waves that still serve the stack; `failing` leaves out accepted failures. `has_spare` says
    whether the newest released wave has lost all its members and can take another agent. `late` counts agents that
    should get the version without a release of a wave: agents that joined after the last wave, and deferred members
    that are heard again. `approved` contains the numbers of the approved waves, `failed_before` the checks of earlier
    waves that have failed since.
    """

    wave: WaveFacts | None
    released: int = 0
    failing: int = 0
    has_spare: bool = False
    late: int = 0
    is_frozen: bool = False
    approved: frozenset[int] = frozenset()
    failed_before: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing now. `until` is when to look again, even if nothing is reported."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the rollout. `rolls_back` says whether it is rolled back or paused."""

    reason: StopReason
    rolls_back: bool
    check: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseLate:
    """Release the version to agents that joined late or are heard again."""


@dataclass(frozen=True, slots=True)
class Refill:
    """Take the next agent into the wave, because all its members have left the stack."""

    wave: int


@dataclass(frozen=True, slots=True)
class ProveWave:
    wave: int


@dataclass(frozen=True, slots=True)
class AskApproval:
    wave: int


@dataclass(frozen=True, slots=True)
class ReleaseWave:
    wave: int


@dataclass(frozen=True, slots=True)
class Succeed:
    pass


Step = Wait | Stop | ReleaseLate | Refill | ProveWave | AskApproval | ReleaseWave | Succeed


def next_step(strategy: Strategy, facts: Facts, *, is_proven: bool, now: datetime) -> Step:
    """The next step. `is_proven` says that the newest released wave was proven before; it stays proven."""
    wave = facts.wave
    if wave is not None and (stop := _stop(strategy, facts, wave, is_proven=is_proven, now=now)):
        return stop
    if facts.is_frozen:
        return Wait()
    if facts.late:
        return ReleaseLate()
    if wave is not None and not is_proven:
        return _prove(strategy, facts, wave)
    return _advance(strategy, facts, wave)


def _stop(
    strategy: Strategy, facts: Facts, wave: WaveFacts, *, is_proven: bool, now: datetime
) -> Stop | None:
    rule = strategy.wave(wave.number)
    # While a freeze holds, no agent may get a new version, not even one from a rollback.
    rolls_back = strategy.on_failure == OnFailure.ROLL_BACK and not facts.is_frozen
    if facts.failing > rule.max_failures.of(facts.released):
        return Stop(StopReason.TOO_MANY_FAILURES, rolls_back)
    undecided = wave.counted - wave.accepted
    if not is_proven and undecided and wave.failing - wave.accepted == undecided:
        return Stop(StopReason.ALL_FAILING, rolls_back)
    failing_checks = {name for name, verdict in wave.checks.items() if verdict == Verdict.FAILED}
    if failed := sorted(failing_checks | facts.failed_before):
        return Stop(StopReason.CHECK_FAILED, rolls_back, check=failed[0])
    if not is_proven and not facts.is_frozen and now >= deadline_of(rule, wave) and not _is_good(rule, wave):
        return Stop(StopReason.DEADLINE_PASSED, rolls_back)
    return None


def _prove(strategy: Strategy, facts: Facts, wave: WaveFacts) -> Step:
    if wave.matched and not wave.members and facts.has_spare:
        return Refill(wave.number)
    rule = strategy.wave(wave.number)
    if _is_good(rule, wave):
        return ProveWave(wave.number)
    deadline = deadline_of(rule, wave)
    return Wait(min(deadline, wave.next_proof_at) if wave.next_proof_at else deadline)


def _advance(strategy: Strategy, facts: Facts, wave: WaveFacts | None) -> Step:
    following = 1 if wave is None else wave.number + 1
    if following > len(strategy.waves):
        return Succeed()
    if strategy.wave(following).needs_approval and following not in facts.approved:
        return AskApproval(following)
    return ReleaseWave(following)


def _is_good(rule: Wave, wave: WaveFacts) -> bool:
    """Whether the wave is proven by its members and by its checks.

    A wave that matched no agent when it was released, or whose members have all left, needs no proven member. Any other
    wave needs one: failures within the budget and deferred members are no proof, but failures that a person has
    accepted are.
    """
    has_checks = all(wave.checks.get(name) == Verdict.PASSED for name in rule.checks)
    has_nobody = not wave.matched or not wave.members
    has_proof = has_nobody or (wave.waiting == 0 and (wave.proven > 0 or wave.accepted > 0))
    return has_checks and has_proof


def deadline_of(rule: Wave, wave: WaveFacts) -> datetime:
    """The time by which the wave must be proven."""
    return wave.running_since + timedelta(seconds=rule.deadline_seconds)
