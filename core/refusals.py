"""Refusals that a plan shows without stopping at them.

A plan says what a write would do even if a freeze or a missing right would refuse it. Such refusals are raised by
`refuse`, which notes them instead while a plan is made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.errors import DomainError

_noted: ContextVar[list[DomainError] | None] = ContextVar("noted_refusals", default=None)


@contextmanager
def noting_refusals() -> Iterator[list[DomainError]]:
    """Inside, `refuse` adds to the list that this returns, and raises nothing."""
    refusals: list[DomainError] = []
    token = _noted.set(refusals)
    try:
        yield refusals
    finally:
        _noted.reset(token)


def refuse(refusal: DomainError) -> None:
    """Raise the refusal; while a plan is made, note it, and the caller goes on as if it were allowed."""
    refusals = _noted.get()
    if refusals is None:
        raise refusal
    refusals.append(refusal)
