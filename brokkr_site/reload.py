"""Putting changed settings in place in every process, and saying so once.

A process looks at two files: the one that BROKKR_CONFIG_FILE names, when it is watched, and a mark in the data folder
that a reload by the API touches, so that the other processes of this machine follow at once.
"""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from brokkr_site import hot
from core.errors import InternalError
from core.events import Actor, Event, emit
from core.logs import logging_level
from core.models import ConfigSnapshot

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class ConfigReloadFailed(InternalError):
    code = "config_reload_failed"
    message = "The settings cannot be read; those in effect stay."


def reload_settings(*, actor: Actor) -> list[dict[str, str]]:
    """Read the settings anew, put them in place in all processes of this machine, and tell what has changed since it
    was last told. Raises ConfigReloadFailed with what is wrong; nothing changes then.
    """
    try:
        values = hot.read_hot_settings()
    except ImproperlyConfigured as error:
        raise ConfigReloadFailed(str(error)) from error
    # First, because it may fail and nothing has changed then.
    _mark()
    changes = _announce(hot.published(values), actor=actor, even_if_none=True)
    put_in_place(values)
    return changes


def _mark() -> None:
    """Let the other processes of this machine see that there is something new."""
    try:
        (settings.DATA_DIR / "reloaded").touch()
    except OSError as error:
        raise ConfigReloadFailed(f"The data folder cannot be written: {error}") from error


@transaction.atomic
def _announce(now: Mapping[str, str], *, actor: Actor, even_if_none: bool) -> list[dict[str, str]]:
    snapshot, _ = ConfigSnapshot.objects.select_for_update().get_or_create(
        pk=1, defaults={"values": _AT_START}
    )
    # A key that an earlier release did not know has nothing to differ from.
    changes = [
        {"key": key, "old_value": snapshot.values.get(key, value), "new_value": value}
        for key, value in now.items()
        if snapshot.values.get(key, value) != value
    ]
    if changes or even_if_none:
        snapshot.values = dict(now)
        snapshot.save(update_fields=["values"])
        emit(
            Event(
                kind="config.reloaded",
                resource_type="config",
                resource_id=None,
                actor=actor,
                details={"changes": changes},
            )
        )
    return changes


def put_in_place(values: Mapping[str, Any]) -> None:
    """Make this process use the values from now on."""
    for name, value in values.items():
        setattr(settings, name, value)
    logging.getLogger().setLevel(logging_level(values["LOG_LEVEL"]))


class Watch:
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
            values = hot.read_hot_settings()
        except ImproperlyConfigured as error:
            logger.error("changed settings are not used: %s", error)
            return None
        put_in_place(values)
        return values

    def _state(self) -> tuple[Any, Any]:
        return (
            hot.file_state(hot.CONFIG_FILE) if hot.WATCHED else None,
            hot.file_state(settings.DATA_DIR / "reloaded"),
        )

    def _is_being_written(self, state: tuple[Any, Any]) -> bool:
        file, mark = state
        by_request = mark != self._seen[1]
        return not by_request and bool(file) and time.time() - file[0] / 1e9 < hot.DEBOUNCE_SECONDS


_AT_START = hot.published({item.name: getattr(settings, item.name) for item in hot.HOT})
watch = Watch()


class ReloadMiddleware:
    """A web process looks for changed settings when it is asked something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        watch.look()
        return self.get_response(request)


def follow_settings(*, actor: Actor) -> int:
    """Let the worker follow changed settings, and tell of those that nobody has told of; their number."""
    values = watch.look()
    return len(_announce(hot.published(values), actor=actor, even_if_none=False)) if values else 0
