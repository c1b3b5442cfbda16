"""What became of the versions of the rollout stacks, as their director saw it. Times are of the monotonic clock.

Whoever looks now and then knows of a change only that it was not there at one moment, and there at a later one: a pair
of times. `math.inf` as the later one means that it was never seen.
"""

import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from simulator.outcomes import Outcome

FINAL = frozenset({"succeeded", "aborted", "rolled_back", "superseded"})


@dataclass
class Between:
    """When something happened: after `before`, and not after `after`."""

    before: float = -math.inf
    after: float = math.inf

    def look(self, *, is_so: bool, began: float, ended: float) -> None:
        """Somebody looked between these moments, and it was so or not."""
        if not is_so:
            self.before = max(self.before, began)
        elif self.after == math.inf:
            self.after = ended


@dataclass
class WaveStory:
    """One wave. The moments with `_at` are by the broker's clock, in ISO 8601."""

    released: Between = field(default_factory=Between)
    proven: Between = field(default_factory=Between)
    released_at: str | None = None
    proven_at: str | None = None
    matched: int = 0

    def beyond(self, soak: float) -> float | None:
        """The seconds that it took besides the soak; None as long as it is not proven."""
        if self.released_at is None or self.proven_at is None:
            return None
        took = datetime.fromisoformat(self.proven_at) - datetime.fromisoformat(self.released_at)
        return took.total_seconds() - soak


@dataclass
class VersionStory:
    """One version on its way. `members` says which wave an agent is in, by its id, as it was known at `members_at`."""

    strategy: str
    stack: str
    object_id: str
    sequence_id: int
    outcome: Outcome
    rollout: str = ""
    previous: int = 0
    state: str = ""
    members_at: float = math.inf
    acts: list[str] = field(default_factory=list)
    unheld: Between = field(default_factory=Between)
    rolled_back: Between = field(default_factory=Between)
    waves: dict[int, WaveStory] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)

    def look(self, detail: dict[str, Any], *, began: float, ended: float) -> None:
        """Take in what the broker said of the rollout between these moments."""
        self.state = detail["state"]
        self.previous = (detail["previous_version"] or {"sequence_id": 0})["sequence_id"]
        self.unheld.look(is_so=self.state == "succeeded", began=began, ended=ended)
        self.rolled_back.look(is_so=self.state == "rolled_back", began=began, ended=ended)
        for row in detail["waves"]:
            wave = self.waves.setdefault(row["number"], WaveStory())
            wave.released.look(is_so=row["released_at"] is not None, began=began, ended=ended)
            wave.proven.look(is_so=row["proven_at"] is not None, began=began, ended=ended)
            wave.released_at, wave.proven_at = row["released_at"], row["proven_at"]
            wave.matched = row["matched"]

    def as_data(self) -> dict[str, Any]:
        """To be sent from one process to another; `story_from` reads it."""
        # Keys of JSON are texts.
        waves = {str(number): asdict(wave) for number, wave in self.waves.items()}
        return asdict(self) | {"waves": waves}


def story_from(data: dict[str, Any]) -> VersionStory:
    """What `as_data` wrote. JSON has no infinity: null stands for it."""
    waves = {
        int(number): WaveStory(
            **wave | {"released": _between(wave["released"]), "proven": _between(wave["proven"])}
        )
        for number, wave in data["waves"].items()
    }
    changes = {
        "waves": waves,
        "unheld": _between(data["unheld"]),
        "rolled_back": _between(data["rolled_back"]),
        "outcome": Outcome(data["outcome"]),
        "members_at": math.inf if data["members_at"] is None else data["members_at"],
    }
    return VersionStory(**data | changes)


def _between(data: dict[str, float | None]) -> Between:
    before, after = data["before"], data["after"]
    return Between(-math.inf if before is None else before, math.inf if after is None else after)
