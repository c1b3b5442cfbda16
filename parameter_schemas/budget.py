"""Limits for the check of a schema, or of parameters against a schema: the work, and the depth of the stack."""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeVar

from tera.errors import Failure
from tera.limits import Budget

# The stack is checked after this many nested keywords, and then this many frames must be left. The library looks up
# references in tables that crash the thread if the stack ends there.
_LEVELS_BETWEEN_LOOKS: Final = 8
_FRAMES_LEFT: Final = 250

_Result = TypeVar("_Result")


class Work:
    """One check: its budget, and the number of nested keywords at the moment."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._level = 0

    def enter(self, steps: int) -> None:
        """Begin a keyword. Raises OverBudget, and Failure before the stack is full."""
        self.budget.step(steps)
        self._level += 1
        if self._level % _LEVELS_BETWEEN_LOOKS == 0 and _frames_left() < _FRAMES_LEFT:
            raise Failure("The parameters and the schema are nested too deeply to be checked.")

    def leave(self) -> None:
        """End a keyword that `enter` began."""
        self._level -= 1


_work: ContextVar[Work] = ContextVar("work")


def current_work() -> Work:
    """Return the running check."""
    return _work.get()


def current_budget() -> Budget:
    """Return the budget of the running check."""
    return _work.get().budget


def within_budget(check: Callable[[], _Result]) -> _Result:
    """Run `check` with its own budget. Raises OverBudget if the budget is spent."""
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
