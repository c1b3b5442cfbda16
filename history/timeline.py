"""The timelines of agents and stacks: what should have been there, what was sent and what was said, oldest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from history.entries import Entry, Key, Source
from history.observations import Window, observations_of_agent, observations_of_stack
from history.versions import Versions
from history.wanted_entries import wanted_by_agent, wanted_by_stack
from history.windows import Span

_LAST_ID = UUID(int=2**128 - 1)
_Wanted = Callable[[UUID, Window, Versions], tuple[list[Entry], datetime]]
_Observations = Callable[[UUID, Window, Versions], list[Entry]]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the next page begins; None if this is the last.

    A page may be short, even empty, and have a next one: what should have been there is computed at a limited number
    of moments.
    """

    entries: Sequence[Entry]
    next_after: Key | None


def timeline_of_agent(agent_id: UUID, span: Span, *, after: Key | None = None, limit: int) -> Page:
    """The entries of the span; only those after the key `after`, if there is one."""
    return _page(agent_id, _window(span, after, limit), wanted_by_agent, observations_of_agent)


def timeline_of_stack(stack_id: UUID, span: Span, *, after: Key | None = None, limit: int) -> Page:
    """The same for a stack and all its agents."""
    return _page(stack_id, _window(span, after, limit), wanted_by_stack, observations_of_stack)


def _window(span: Span, after: Key | None, limit: int) -> Window:
    if after is None or not span.since <= after.at < span.until:
        return Window(span.since, span.until, None, limit)
    return Window(after.at, span.until, after, limit)


def _page(row_id: UUID, window: Window, wanted: _Wanted, observations: _Observations) -> Page:
    versions = Versions()
    # One entry more than the page holds tells that there is a next page.
    larger = replace(window, limit=window.limit + 1)
    entries, complete_until = wanted(row_id, larger, versions)
    entries += observations(row_id, larger, versions)
    entries.sort(key=lambda entry: entry.key)
    is_complete = complete_until >= window.until
    whole = [entry for entry in entries if is_complete or entry.at <= complete_until]
    if len(whole) > window.limit:
        return Page(whole[: window.limit], whole[window.limit - 1].key)
    return Page(whole, None if is_complete else Key(complete_until, Source.ENDS_OF_SILENCE, _LAST_ID))
