"""What the check of one schema, or of parameters against one, may spend: work, and depth of the stack."""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeVar

from tera.errors import Failure
from tera.limits import Budget

# Keywords inside each other between two looks at the stack, and the frames that must be left then. The library looks
# references up in tables that end the process's thread when the stack runs out in them.
_LEVELS_BETWEEN_LOOKS: Final = 8
_FRAMES_LEFT: Final = 250

_Result = TypeVar("_Result")


class Work:
    """One check: its budget, and how many keywords are inside each other at the moment."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._level = 0

    def enter(self, steps: int) -> None:
        """Begin with a keyword. Raises OverBudget, and Failure before the stack runs out."""
        self.budget.step(steps)
        self._level += 1
        if self._level % _LEVELS_BETWEEN_LOOKS == 0 and _frames_left() < _FRAMES_LEFT:
            raise Failure("The parameters and the schema are nested too deeply to be checked.")

    def leave(self) -> None:
        """End a keyword that was begun with."""
        self._level -= 1


_work: ContextVar[Work] = ContextVar("work")


def current_work() -> Work:
    """Return the check that is going on."""
    return _work.get()


def current_budget() -> Budget:
    """Return the budget of the check that is going on."""
    return _work.get().budget


def within_budget(check: Callable[[], _Result]) -> _Result:
    """Carry out `check` with a budget of its own. Raises OverBudget when that is spent."""
    token = _work.set(Work())
    try:
        return check()
    finally:
        _work.reset(token)


def _frames_left() -> int:
    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        depth += 1
        frame = frame.f_back
    return sys.getrecursionlimit() - depth
