"""The kinds of events about sync."""

from core.events import EventKind


class SyncEventKind(EventKind):
    AGENT_REMOVALS_CONFIRMED = "agent.removals_confirmed"
