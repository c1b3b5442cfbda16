"""When what failed is tried again: each object by itself, after longer and longer pauses.

A key is the id of a version or removal, with the object that failed; without an object it is all of it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from brokkr_agent.manifests import Identity

_FIRST, _LONGEST = 1.0, 300.0

Key = tuple[str, Identity | None]


@dataclass(slots=True)
class Retries:
    """The pause doubles with each failure. Success begins anew.

    `chance` returns numbers from 0 to 1, by which pauses are shortened, so that not all end at once.
    """

    chance: Callable[[], float] = random.random
    _failures: dict[Key, int] = field(default_factory=dict)
    _due: dict[Key, float] = field(default_factory=dict)

    def is_due(self, key: Key, now: float) -> bool:
        """Whether it never failed, or its pause is over."""
        return self._due.get(key, now) <= now

    def failed(self, key: Key, now: float) -> None:
        """Let it wait."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        # 2**20 is far beyond the bound; more would be no float some day.
        pause = min(_FIRST * 2 ** min(count, 20), _LONGEST)
        self._due[key] = now + pause * (1 - 0.25 * self.chance())

    def succeeded(self, key: Key) -> None:
        """Forget its failures."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def forget_others(self, kept: set[str]) -> None:
        """Forget the failures of all versions and removals but these."""
        for key in [key for key in self._due if key[0] not in kept]:
            self.succeeded(key)

    def seconds_until_next(self, now: float) -> float:
        """Until something will be due, infinite if nothing waits. What is due already is left to who does it."""
        return min((due for due in self._due.values() if due > now), default=float("inf")) - now
