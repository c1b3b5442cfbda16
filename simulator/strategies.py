"""The strategies by which simulated versions reach the fleet, each made to break something else. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.outcomes import Outcome

CHECK = "smoke"


@dataclass(frozen=True)
class SimulatedStrategy:
    """`body` is what the API takes, but for the name. `notices` are the bad outcomes that stop it, `budget` is the
    share of released members in percent that may fail."""

    name: str
    body: dict[str, Any]
    notices: Sequence[Outcome] = (Outcome.FAILS, Outcome.UNHEALTHY)
    budget: int = 0

    @property
    def waves(self) -> list[dict[str, Any]]:
        waves: list[dict[str, Any]] = self.body["waves"]
        return waves

    @property
    def queues(self) -> bool:
        """Whether a newer version waits for the end of this one."""
        return self.body.get("on_newer") == "queue"

    def size(self, number: int, matched: int) -> int:
        """How many members the wave of that number may have, when so many agents match it."""
        wave = self.waves[number - 1]
        if "percent" in wave:
            return -(-matched * int(wave["percent"]) // 100)
        return min(matched, int(wave.get("count", matched)))


def ring_of(agent_number: int) -> str:
    """The label of an agent: 2 % are in the first ring, 18 % in the second, the others in none."""
    place = agent_number % 50
    return "ring=0" if place == 0 else "ring=1" if place < 10 else ""


def strategies(*, soak: int, deadline: int) -> list[SimulatedStrategy]:
    """The five of them. Seconds: how long an agent must have been good, and by when a wave must be proven. Only the
    deadline stops a version that is not well, or of which nothing is heard."""

    def waves(*steps: dict[str, Any], **rules: Any) -> list[dict[str, Any]]:
        return [
            {"name": f"wave {number}", "soak_seconds": soak, "deadline_seconds": deadline} | rules | step
            for number, step in enumerate(steps, 1)
        ]

    return [
        SimulatedStrategy(
            "canary", {"waves": waves({"count": 1}, {"percent": 10}, {}), "on_failure": "pause"}
        ),
        SimulatedStrategy(
            "rings",
            {"waves": waves({"labels": ["ring=0"]}, {"labels": ["ring=1"]}, {}), "on_failure": "roll_back"},
        ),
        SimulatedStrategy(
            "shares",
            {"waves": waves({"percent": 5}, {"percent": 25}, {}, max_failures="2%"), "on_failure": "pause"},
            budget=2,
        ),
        SimulatedStrategy(
            "healthy",
            {
                "waves": waves({"percent": 2}, {"percent": 20}, {}, health="required"),
                "on_failure": "roll_back",
            },
            notices=(Outcome.FAILS, Outcome.UNHEALTHY, Outcome.SILENCES),
        ),
        SimulatedStrategy(
            "gated",
            {
                "waves": waves({"count": 1, "checks": [CHECK]}, {"needs_approval": True}),
                "on_failure": "pause",
                "on_newer": "queue",
            },
            notices=(Outcome.FAILS,),
        ),
    ]
