"""Which changes somebody has seen: transactions are numbered when they begin to write, and end in any order.

On PostgreSQL the numbers are those of transactions, and a snapshot is its own. SQLite lets one transaction write at a
time, so there the numbers of the audit log's entries will do, and nothing is ever running.
"""

from dataclasses import dataclass, field

# In the form of PostgreSQL: the lowest number that is running or next, the next one, and those that are running.
FORM = r"[0-9]{1,18}:[0-9]{1,18}:(?:[0-9]{1,18}(?:,[0-9]{1,18})*)?"
# Some twenty transactions that are running. Agents send it in a URL.
MAX_LENGTH = 300
# As SELECTs of a text, and the column of `audit_logs` with the number.
SELECT = {
    "postgresql": "SELECT pg_current_snapshot()::text AS seen",
    "sqlite": "SELECT n || ':' || n || ':' AS seen FROM (SELECT coalesce(max(sequence), 0) + 1 AS n FROM audit_logs)",
}
NUMBER = {"postgresql": "transaction_number", "sqlite": "sequence"}
# An agent's latest changes; who has seen none of them is told that there are some.
_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All changes with a number below `following` were seen, but for those of transactions that were `running`."""

    following: int
    running: frozenset[int] = frozenset()

    @property
    def oldest(self) -> int:
        """All below it were seen."""
        return min(self.running, default=self.following)


def snapshot_of(text: str) -> Snapshot:
    """The snapshot in a text of the form FORM."""
    _, following, running = text.split(":")
    return Snapshot(int(following), frozenset(map(int, running.split(","))) if running else frozenset())


def shortened(text: str) -> str:
    """The text or, if it is too long, that of a snapshot that has seen less."""
    if len(text) <= MAX_LENGTH:
        return text
    oldest = text.partition(":")[0]
    return f"{oldest}:{oldest}:"


@dataclass(slots=True)
class Changes:
    """Numbers of changes. Only the latest few are kept; of those below `known_from` nothing is known."""

    known_from: int = 0
    _kept: frozenset[int] = field(default_factory=frozenset)

    def add(self, number: int) -> None:
        """Note a change."""
        kept = self._kept | {number}
        if len(kept) > _REMEMBERED:
            self.known_from = max(self.known_from, min(kept) + 1)
            kept -= {min(kept)}
        self._kept = kept

    def has_more_than(self, seen: Snapshot) -> bool:
        """Whether there is a change that is not in the snapshot, or may be."""
        return (
            seen.oldest < self.known_from
            or max(self._kept, default=-1) >= seen.following
            or not self._kept.isdisjoint(seen.running)
        )
