"""What a strategy contains: the waves of a rollout in order, and what happens if one fails. Pure."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.validators import is_name

MAX_WAVES = 50
DEFAULT_SOAK_SECONDS = 300
DEFAULT_DEADLINE_SECONDS = 24 * 3600


class HealthGate(StrEnum):
    """How the health that an agent reports for the version counts for its proof."""

    REQUIRED = "required"
    IF_REPORTED = "if_reported"
    IGNORED = "ignored"


class OnFailure(StrEnum):
    PAUSE = "pause"
    ROLL_BACK = "roll_back"


class SilentAgents(StrEnum):
    """Whether a wave waits for members that were silent or inactive when it was released."""

    DEFERRED = "deferred"
    REQUIRED = "required"


class OnNewer(StrEnum):
    """What a newer version does to a running rollout."""

    SUPERSEDE = "supersede"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class FailureBudget:
    """How many released members may fail: a number, or a percentage of them, rounded down."""

    count: int = 0
    percent: int | None = None

    def of(self, released: int) -> int:
        """The number of failures that are allowed among this many released members."""
        return self.count if self.percent is None else released * self.percent // 100


@dataclass(frozen=True, slots=True)
class Wave:
    """One step of a rollout. `percent` or `count` limits its members; without either, it takes all matching agents.

    An agent matches if it has any of `labels`. Without labels, all remaining agents match.
    """

    name: str
    labels: tuple[str, ...] = ()
    percent: int | None = None
    count: int | None = None
    soak_seconds: int = DEFAULT_SOAK_SECONDS
    health: HealthGate = HealthGate.IF_REPORTED
    max_failures: FailureBudget = FailureBudget()
    checks: tuple[str, ...] = ()
    needs_approval: bool = False
    deadline_seconds: int = DEFAULT_DEADLINE_SECONDS

    @property
    def is_rest(self) -> bool:
        """Whether the wave takes all remaining agents."""
        return not self.labels and self.percent is None and self.count is None

    def size(self, matched: int) -> int:
        """How many of this many matching agents the wave takes. A percentage is rounded up, to at least one agent."""
        if self.percent is not None:
            return min(matched, max(1, math.ceil(matched * self.percent / 100)))
        return matched if self.count is None else min(matched, self.count)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A list of waves, with the rules for all of them. A rollout keeps its own copy."""

    name: str
    waves: tuple[Wave, ...]
    on_failure: OnFailure = OnFailure.PAUSE
    silent: SilentAgents = SilentAgents.DEFERRED
    on_newer: OnNewer = OnNewer.SUPERSEDE
    # If true, the person who published the version may not approve its waves.
    approval_by_another: bool = False

    def wave(self, number: int) -> Wave:
        """The wave with this number. Numbers begin at 1."""
        return self.waves[number - 1]


def mistakes_in(strategy: Strategy) -> list[str]:
    """Sentences about what is wrong with the waves; none if the strategy can be used.

    The form of each field was checked when the request was read.
    """
    waves = strategy.waves
    if not waves or len(waves) > MAX_WAVES:
        return [f"A strategy has from 1 to {MAX_WAVES} waves."]
    found = []
    if not waves[-1].is_rest:
        found.append(
            "The last wave must be the rest: without labels, percent and count, so that no agent is left out."
        )
    names = [wave.name for wave in waves]
    if not all(map(is_name, names)):
        found.append("A wave needs a name of 1 to 255 characters.")
    found += [f"Two waves are called {name!r}." for name in sorted({n for n in names if names.count(n) > 1})]
    for wave in waves:
        if wave.percent is not None and wave.count is not None:
            found.append(f"Wave {wave.name!r} has percent and count; only one of them can bound it.")
        if len(set(wave.checks)) < len(wave.checks):
            found.append(f"Wave {wave.name!r} names a check twice.")
    return found


def warnings_about(strategy: Strategy) -> list[str]:
    """Sentences about waves that may never be proven, for those who publish with the strategy."""
    found = []
    for wave in strategy.waves:
        if wave.health == HealthGate.REQUIRED:
            found.append(
                f"Wave {wave.name!r} requires health: agents that report none for the version never prove it."
            )
        if wave.soak_seconds >= wave.deadline_seconds:
            found.append(
                f"Wave {wave.name!r} soaks for {wave.soak_seconds} seconds, but its deadline is after "
                f"{wave.deadline_seconds}: no agent can prove it by then."
            )
    return found


def strategy_to_json(strategy: Strategy) -> dict[str, Any]:
    """The strategy without its name, in the form that is stored and that the API shows."""
    definition = asdict(strategy)
    del definition["name"]
    for wave in definition["waves"]:
        budget = wave["max_failures"]
        wave["max_failures"] = budget["count"] if budget["percent"] is None else f"{budget['percent']}%"
        wave |= {"labels": list(wave["labels"]), "checks": list(wave["checks"])}
    return definition | {"waves": list(definition["waves"])}


def strategy_from_json(name: str, definition: Mapping[str, Any]) -> Strategy:
    """Read what `strategy_to_json` wrote. A missing field has its default."""
    given = dict(definition)
    words: dict[str, type[StrEnum]] = {"on_failure": OnFailure, "silent": SilentAgents, "on_newer": OnNewer}
    given |= {field: kind(given[field]) for field, kind in words.items() if field in given}
    given["waves"] = tuple(_wave_from_json(wave) for wave in given["waves"])
    return Strategy(name=name, **given)


def _wave_from_json(wave: Mapping[str, Any]) -> Wave:
    given = dict(wave)
    if "health" in given:
        given["health"] = HealthGate(given["health"])
    if "max_failures" in given:
        given["max_failures"] = _budget_from_json(given["max_failures"])
    for words in ("labels", "checks"):
        given[words] = tuple(given.get(words, ()))
    return Wave(**given)


def _budget_from_json(budget: int | str) -> FailureBudget:
    return (
        FailureBudget(percent=int(budget.removesuffix("%")))
        if isinstance(budget, str)
        else FailureBudget(budget)
    )


def in_canary_order(chain_id: UUID, agent_ids: Iterable[UUID]) -> list[UUID]:
    """The agents in the order in which waves take them: by a hash that is the same for all rollouts of a chain.

    A chain is a rollout with the rollouts that it superseded. So the canary stays the same if somebody publishes again.
    """
    return sorted(agent_ids, key=lambda agent_id: hashlib.sha256(chain_id.bytes + agent_id.bytes).digest())


def members_of(wave: Wave, *, chain_id: UUID, matched: Iterable[UUID]) -> Sequence[UUID]:
    """The members of the wave, chosen from the agents that match it and are in no earlier wave."""
    ordered = in_canary_order(chain_id, matched)
    return ordered[: wave.size(len(ordered))]


# The strategies that every new broker has.
DEFAULTS = (
    Strategy(
        "canary",
        (Wave("canary", count=1), Wave("tenth", percent=10), Wave("rest")),
    ),
    Strategy(
        "rings",
        (*(Wave(f"ring {ring}", labels=(f"ring={ring}",)) for ring in range(4)), Wave("rest")),
    ),
    Strategy("all-at-once", (Wave("everybody"),)),
)
