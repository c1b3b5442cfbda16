"""Periodic jobs of the settings."""

from datetime import timedelta

from config.services import follow_settings
from core.events import SYSTEM
from core.jobs import periodic


@periodic(every=timedelta(seconds=1))
def follow_changed_settings() -> int:
    return follow_settings(actor=SYSTEM)
