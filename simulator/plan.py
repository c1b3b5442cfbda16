"""The plan of a run: for the whole fleet, and the part of one cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# `kill` ends whole cells; the other faults affect single requests.
FAULTS = ("drop", "slow", "duplicate", "skew", "kill")
# What agents call: the polls, heartbeats and looks of old, or sync in place of these.
PROTOCOLS = ("calls", "sync")


@dataclass(frozen=True)
class CellPlan:
    """The plan of one cell. Units are seconds and bytes. `deadline` is a moment of the machine's monotonic clock.

    `resume` starts from the journal instead of setting up, and ends at `deadline` instead of after `duration`. A cell
    that serves rollout stacks goes on after that until a line on stdin tells it to end.
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
    protocol: str = "calls"
    resume: bool = False
    deadline: float = 0.0
    # Beside the cell's own stacks its agents serve these, of a generator of their own, by this label.
    rollout_stacks: Sequence[str] = ()
    rollout_generator: str = ""
    rollout_label: str = ""
    # For how long an agent says nothing that a version silenced.
    silence: float = 0.0


@dataclass(frozen=True)
class DirectorPlan:
    """What the director of the rollouts is to do. Seconds throughout.

    It publishes during `duration`, however slow the machine is a few versions of each strategy, and ends when the
    rollouts have ended.
    """

    url: str
    admin_key: str
    name: str
    label: str
    interval: float
    joining: float
    duration: float
    soak: int
    wave_deadline: int
    watch_every: float
    keep: bool
    seed: int


@dataclass(frozen=True)
class Plan:
    """The size of the fleet, the length of the run, and the faults.

    With `joining`, the agents begin one after another during this many seconds, before the duration. The calls of this
    time are reported separately, because the first poll of an agent fetches and reports everything that it serves.
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
    # The mean of the seconds between two kills.
    kill_every: float = 20.0
    keep: bool = False
    server_pids: Sequence[int] = ()
    seed: int = 1
    # Whether versions also reach the fleet by strategies, and how long an agent must then have been good.
    rollouts: bool = False
    soak: int = 10
    protocol: str = "calls"

    @property
    def wave_deadline(self) -> int:
        """By when a wave must be proven."""
        return round(3 * self.interval + self.soak + 15)

    def director(self, name: str) -> DirectorPlan:
        """The part of the plan that publishes to the rollout stacks."""
        return DirectorPlan(
            url=self.url,
            admin_key=self.admin_key,
            name=f"{name}-rollouts",
            label=f"{name}-rollouts",
            interval=self.interval,
            joining=self.joining,
            duration=self.duration,
            soak=self.soak,
            wave_deadline=self.wave_deadline,
            watch_every=min(1.0, self.interval),
            keep=self.keep,
            seed=self.seed,
        )

    def cells(self, name: str, folder: Path) -> list[CellPlan]:
        """The plans of the cells.

        The names of everything that they make in the broker begin with `name`. Their journals are in `folder`.
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
                protocol=self.protocol,
                silence=self.wave_deadline + 2 * self.interval,
            )
            for number in range(processes)
        ]


def _part(total: int, parts: int, number: int) -> int:
    return total // parts + (number < total % parts)
