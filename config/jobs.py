"""Periodic jobs: follow the settings, and show that a worker runs."""

from datetime import timedelta

from config.services import follow_settings
from config.worker_mark import renew_mark
from core import clock
from core.events import SYSTEM
from core.jobs import periodic


@periodic(every=timedelta(seconds=1))
def follow_changed_settings() -> int:
    return follow_settings(actor=SYSTEM)


@periodic(every=timedelta(seconds=10))
def mark_worker() -> None:
    renew_mark(now=clock.now())
