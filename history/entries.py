"""The entries of a timeline, and their order."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What happened. The kinds from `healthy` to `unknown` are the statuses of health."""

    WANTED = "wanted"
    OFFERED = "offered"
    APPLIED = "applied"
    FAILED = "failed"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"
    SILENT = "silent"
    HEARD = "heard"


class Source(IntEnum):
    """Where entries come from. At the same moment they stand in this order: what should be there comes first."""

    WANTED = 0
    OFFERS = 1
    FORGOTTEN_OFFERS = 2
    REPORTS = 3
    HEALTH = 4
    SILENCES = 5
    ENDS_OF_SILENCE = 6


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The place of an entry in its timeline."""

    at: datetime
    source: Source
    id: UUID

    def to_text(self) -> str:
        """The text of which `from_text` makes the key again."""
        return f"{self.at.isoformat()}/{self.source.value}/{self.id}"

    @classmethod
    def from_text(cls, text: str) -> "Key | None":
        """The key, or None for a text that is none."""
        try:
            at, source, row_id = text.split("/")
            key = cls(datetime.fromisoformat(at), Source(int(source)), UUID(row_id))
        except ValueError:
            return None
        return key if key.at.tzinfo is not None else None


@dataclass(frozen=True, slots=True)
class Version:
    """A version or a marker."""

    id: UUID
    sequence_id: int
    is_deletion_marker: bool
    stack_id: UUID


@dataclass(frozen=True, slots=True)
class Cause:
    """The entry of the audit log that says who made a change, and `reason` why, in the words of whoever did it.

    `is_guessed`: the change is older than the numbers that tie it to its entry, so this is the nearest one in time.
    """

    audit_id: UUID
    # The key of the entry's row.
    sequence: int
    action: str
    actor_type: str
    actor_id: UUID | None
    actor_label: str
    at: datetime
    reason: str
    is_guessed: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline.

    For `wanted`, `version` is what should be there from now on (None: nothing) and `previous` what should have been
    there before. In the timeline of a stack such a line stands for all of its `agents` to which the same happened, and
    names the agent only if it is one. `since` is when an agent that is silent was last heard.
    """

    key: Key
    kind: Kind
    agent_id: UUID | None = None
    stack_id: UUID | None = None
    version: Version | None = None
    previous: Version | None = None
    agents: int = 1
    report_id: UUID | None = None
    since: datetime | None = None
    cause: Cause | None = None

    @property
    def at(self) -> datetime:
        return self.key.at
