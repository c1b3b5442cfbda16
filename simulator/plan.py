"""What a run is to do: the plan of the whole fleet, and the part of it that one cell does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# `kill` ends whole cells; the others spoil single requests.
FAULTS = ("drop", "slow", "duplicate", "skew", "kill")


@dataclass(frozen=True)
class CellPlan:
    """What one cell is to do. Seconds and bytes throughout; `deadline` is a moment of the machine's monotonic clock.

    `resume` starts from the journal instead of setting up, and ends at `deadline` instead of after `duration`.
    """

    url: str
    admin_key: str
    name: str
    journal: str
    agents: int
    stacks: int
    matched: int
    object_bytes: int
    interval: float
    joining: float
    duration: float
    changes_per_second: float
    faults: Sequence[str]
    fault_share: float
    keep: bool
    seed: int
    resume: bool = False
    deadline: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How large a fleet, for how long, and what goes wrong with it.

    With `joining` the agents begin one after another over so many seconds, before the duration, and what is called
    meanwhile is reported apart: each brings its first poll, which fetches and reports everything it serves.
    """

    url: str
    admin_key: str
    agents: int
    interval: float
    duration: float
    joining: float = 0.0
    faults: Sequence[str] = ()
    processes: int = 2
    stacks: int = 400
    matched: int = 20
    object_bytes: int = 5000
    changes_per_second: float = 2.0
    fault_share: float = 0.05
    keep: bool = False
    server_pids: Sequence[int] = ()
    seed: int = 1

    def cells(self, name: str, folder: Path) -> list[CellPlan]:
        """The plan divided among its processes. What they make in the broker is called after `name`; their journals
        are in `folder`.
        """
        processes = max(1, min(self.processes, self.agents))
        return [
            CellPlan(
                url=self.url,
                admin_key=self.admin_key,
                name=f"{name}-{number}",
                journal=str(folder / f"{number}.journal"),
                agents=_part(self.agents, processes, number),
                stacks=max(1, _part(self.stacks, processes, number)),
                matched=self.matched,
                object_bytes=self.object_bytes,
                interval=self.interval,
                joining=self.joining,
                duration=self.duration,
                changes_per_second=max(self.changes_per_second / processes, 0.001),
                faults=self.faults,
                fault_share=self.fault_share,
                keep=self.keep,
                seed=self.seed * 1000 + number,
            )
            for number in range(processes)
        ]


def _part(total: int, parts: int, number: int) -> int:
    return total // parts + (number < total % parts)
