"""What can happen to the settings."""

from core.events import EventKind


class ConfigEventKind(EventKind):
    CONFIG_RELOADED = "config.reloaded"
