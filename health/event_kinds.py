"""What can happen to the health of deployed objects."""

from core.events import EventKind


class HealthEventKind(EventKind):
    HEALTH_CHANGED = "health.changed"
