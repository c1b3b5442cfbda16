"""Watches for changed settings in every process, and puts them in place there.

A process looks at two files: the one that BROKKR_CONFIG_FILE names, when it is watched, and a mark in the data folder.
A reload by the API touches the mark, so that the other processes of this machine follow at once.
"""

import logging
import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import reloadable_settings
from config.errors import ConfigReloadFailed
from core.logs import logging_level

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


def put_in_place(values: Mapping[str, Any]) -> None:
    """Make this process use the values from now on."""
    for name, value in values.items():
        setattr(settings, name, value)
    logging.getLogger().setLevel(logging_level(values["LOG_LEVEL"]))


def mark_changed() -> None:
    """Let the other processes of this machine see that there is something new."""
    try:
        (settings.DATA_DIR / "reloaded").touch()
    except OSError as error:
        raise ConfigReloadFailed(f"The data folder cannot be written: {error}") from error


class Watcher:
    """Notices that settings have changed, at most once for each change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next_look = 0.0
        self._seen = self._state()

    def look(self, *, now: float | None = None) -> dict[str, Any] | None:
        """Put changed settings in place and return them, None when there is nothing new. `now` is monotonic seconds."""
        now = time.monotonic() if now is None else now
        if now < self._next_look or not self._lock.acquire(blocking=False):
            return None
        try:
            self._next_look = now + _LOOK_SECONDS
            return self._look()
        finally:
            self._lock.release()

    def _look(self) -> dict[str, Any] | None:
        state = self._state()
        if state == self._seen or self._is_being_written(state):
            return None
        self._seen = state
        try:
            values = reloadable_settings.read_reloadable_settings()
        except ImproperlyConfigured as error:
            logger.error("changed settings are not used: %s", error)
            return None
        put_in_place(values)
        return values

    def _state(self) -> tuple[Any, Any]:
        return (
            reloadable_settings.file_state(reloadable_settings.CONFIG_FILE)
            if reloadable_settings.WATCHED
            else None,
            reloadable_settings.file_state(settings.DATA_DIR / "reloaded"),
        )

    def _is_being_written(self, state: tuple[Any, Any]) -> bool:
        file, mark = state
        by_request = mark != self._seen[1]
        return (
            not by_request
            and bool(file)
            and time.time() - file[0] / 1e9 < reloadable_settings.DEBOUNCE_SECONDS
        )


watcher = Watcher()
