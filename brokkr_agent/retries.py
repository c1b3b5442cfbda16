"""When what failed is tried again: after longer and longer pauses, by the id of the version or removal."""

from dataclasses import dataclass, field

_FIRST, _LONGEST = 5.0, 300.0


@dataclass(slots=True)
class Retries:
    """The pause doubles with each failure. Success, or another version, begins anew."""

    _failures: dict[str, int] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)

    def is_due(self, key: str, now: float) -> bool:
        """Whether it never failed, or its pause is over."""
        return self._due.get(key, now) <= now

    def failed(self, key: str, now: float) -> None:
        """Let it wait."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        self._due[key] = now + min(_FIRST * 2**count, _LONGEST)

    def succeeded(self, key: str) -> None:
        """Forget its failures."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def forget_others(self, kept: set[str]) -> None:
        """Forget the failures of all but these."""
        for key in self._due.keys() - kept:
            self.succeeded(key)

    def seconds_until_next(self, now: float) -> float:
        """Until something is due, infinite if nothing waits."""
        return max(0.0, min(self._due.values(), default=float("inf")) - now)
