"""Counts of calls, with histograms that can be added up over processes."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

# Each bucket is 5 % wider than the one before, so percentiles are exact to 5 %.
_GROWTH = math.log(1.05)
_SMALLEST = 0.0001


@dataclass(slots=True)
class Calls:
    """All calls of one kind. `on_purpose` calls were made wrong on purpose and do not count for percentiles."""

    count: int = 0
    on_purpose: int = 0
    sent: int = 0
    received: int = 0
    seconds: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def took(self, seconds: float) -> None:
        """Count how long one call took."""
        self.seconds[math.ceil(math.log(max(seconds, _SMALLEST) / _SMALLEST) / _GROWTH)] += 1

    def percentile(self, share: float) -> float:
        """The seconds within which this share of the calls was answered; 0 without calls."""
        rank = share * self.seconds.total()
        for bucket in sorted(self.seconds):
            rank -= self.seconds[bucket]
            if rank <= 0:
                return _SMALLEST * math.exp(bucket * _GROWTH)
        return 0.0

    def add(self, other: "Calls") -> None:
        """Count the calls of another process too."""
        self.count += other.count
        self.on_purpose += other.on_purpose
        self.sent += other.sent
        self.received += other.received
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.errors += other.errors

    def as_data(self) -> dict[str, Any]:
        """The counts for another process, which reads them with `from_data`."""
        return {
            "count": self.count,
            "on_purpose": self.on_purpose,
            "sent": self.sent,
            "received": self.received,
            "seconds": list(self.seconds.items()),
            "statuses": dict(self.statuses),
            "errors": dict(self.errors),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Calls":
        """Read what `as_data` returned."""
        return cls(
            count=data["count"],
            on_purpose=data["on_purpose"],
            sent=data["sent"],
            received=data["received"],
            seconds=Counter(dict(data["seconds"])),
            statuses=Counter(data["statuses"]),
            errors=Counter(data["errors"]),
        )
