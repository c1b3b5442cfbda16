"""What should have been there, as entries of a timeline: the state is computed at each change and compared."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from agents.wanted.changes import Change, Changes, What, changes_of_agent, changes_of_stack
from history.causes import causes_of
from history.entries import Entry, Key, Kind, Source, Version
from history.observations import Window
from history.states import state_of_agent, state_of_stack
from history.versions import Versions

# The most moments at which one page computes the state.
_MOMENTS = 100
_TICK = timedelta(microseconds=1)
_State = Mapping[UUID, Version]


def wanted_by_agent(agent_id: UUID, window: Window, versions: Versions) -> tuple[list[Entry], datetime]:
    """One entry for each change of a stack, and the moment until which they are complete."""

    def compare(at: datetime, before: _State, after: _State) -> list[Entry]:
        return [
            Entry(
                Key(at, Source.WANTED, stack_id),
                Kind.WANTED,
                agent_id,
                stack_id,
                after.get(stack_id),
                before.get(stack_id),
            )
            for stack_id in before.keys() | after.keys()
            if before.get(stack_id) != after.get(stack_id)
        ]

    return _entries(
        window,
        versions,
        changes=changes_of_agent(agent_id, _first_moment(window), window.until, limit=_MOMENTS),
        state=lambda at: state_of_agent(agent_id, at, versions),
        compare=compare,
    )


def wanted_by_stack(stack_id: UUID, window: Window, versions: Versions) -> tuple[list[Entry], datetime]:
    """One entry for all agents to which the same happened at once."""

    def compare(at: datetime, before: _State, after: _State) -> list[Entry]:
        agents = defaultdict(list)
        for agent_id in before.keys() | after.keys():
            old, new = before.get(agent_id), after.get(agent_id)
            if old != new:
                agents[old, new].append(agent_id)
        return [
            Entry(
                Key(at, Source.WANTED, _pair(old, new)),
                Kind.WANTED,
                who[0] if len(who) == 1 else None,
                stack_id,
                new,
                old,
                agents=len(who),
            )
            for (old, new), who in agents.items()
        ]

    return _entries(
        window,
        versions,
        changes=changes_of_stack(stack_id, _first_moment(window), window.until, limit=_MOMENTS),
        state=lambda at: state_of_stack(stack_id, at, versions),
        compare=compare,
    )


def _first_moment(window: Window) -> datetime:
    """The first moment to look at: a page may end between the entries of one moment."""
    after = window.after
    return after.at + _TICK if after is not None and after.source > Source.WANTED else window.since


def _pair(old: Version | None, new: Version | None) -> UUID:
    """An id of the step from one version to another."""
    before, after = (version.sequence_id if version else 0 for version in (old, new))
    return UUID(int=(before << 64) | after)


def _entries(
    window: Window,
    versions: Versions,
    *,
    changes: Changes,
    state: Callable[[datetime], _State],
    compare: Callable[[datetime, _State, _State], list[Entry]],
) -> tuple[list[Entry], datetime]:
    by_moment: dict[datetime, list[Change]] = defaultdict(list)
    for change in changes.changes:
        if change.at <= changes.until:
            by_moment[change.at].append(change)
    moments = sorted(by_moment)[:_MOMENTS]
    if not moments:
        return [], window.until
    is_cut = len(by_moment) > len(moments) or changes.until < window.until
    before = state(moments[0] - _TICK)
    entries: list[tuple[Entry, Sequence[Change]]] = []
    complete_until = moments[-1] if is_cut else window.until
    for at in moments:
        after = state(at)
        entries += [(entry, by_moment[at]) for entry in compare(at, before, after)]
        before = after
        if len(entries) > window.limit:
            complete_until = at
            break
    new = [pair for pair in entries if window.after is None or pair[0].key > window.after]
    return _with_causes(new, versions), complete_until


def _with_causes(entries: Sequence[tuple[Entry, Sequence[Change]]], versions: Versions) -> list[Entry]:
    chosen = {entry: _nearest(entry, changes) for entry, changes in entries}
    causes = causes_of(list(dict.fromkeys(chosen.values())), versions)
    return [replace(entry, cause=causes.get(change)) for entry, change in chosen.items()]


def _nearest(entry: Entry, changes: Sequence[Change]) -> Change:
    """Of the changes at one moment the one that is about the entry's version, else about its stack."""
    about_version = [
        change for change in changes if entry.version and change.version_id == entry.version.sequence_id
    ]
    about_stack = [change for change in changes if change.stack_id == entry.stack_id]
    (change, *_) = about_version or about_stack or changes
    if change.what == What.MARKER and change.stack_id is None:
        return replace(change, stack_id=entry.stack_id)
    return change
