"""Reloads the settings, and tells the audit log once what has changed."""

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from config import reloadable_settings
from config.errors import ConfigReloadFailed
from config.event_kinds import ConfigEventKind
from config.models import ConfigSnapshot
from config.watcher import mark_changed, put_in_place, watcher
from core.events import Actor, Event, emit

_AT_START = reloadable_settings.published(
    {item.name: getattr(settings, item.name) for item in reloadable_settings.RELOADABLE}
)


def reload_settings(*, actor: Actor) -> list[dict[str, str]]:
    """Read the settings anew, put them in place in all processes of this machine, and tell what has changed since it
    was last told. Raises ConfigReloadFailed with what is wrong; nothing changes then.
    """
    try:
        values = reloadable_settings.read_reloadable_settings()
    except ImproperlyConfigured as error:
        raise ConfigReloadFailed(str(error)) from error
    # This comes first, because it may fail, and then nothing may have changed yet.
    mark_changed()
    changes = _announce(reloadable_settings.published(values), actor=actor, even_if_none=True)
    put_in_place(values)
    return changes


def follow_settings(*, actor: Actor) -> int:
    """Put changed settings in place in the worker, and announce those not announced yet. Returns their number."""
    values = watcher.look()
    return (
        len(_announce(reloadable_settings.published(values), actor=actor, even_if_none=False))
        if values
        else 0
    )


@transaction.atomic
def _announce(now: Mapping[str, str], *, actor: Actor, even_if_none: bool) -> list[dict[str, str]]:
    snapshot, _ = ConfigSnapshot.objects.select_for_update().get_or_create(
        pk=1, defaults={"values": _AT_START}
    )
    # A key that an earlier release did not know has no earlier value to compare with.
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
                kind=ConfigEventKind.CONFIG_RELOADED,
                resource_type="config",
                resource_id=None,
                actor=actor,
                details={"changes": changes},
                before={change["key"]: change["old_value"] for change in changes},
                after={change["key"]: change["new_value"] for change in changes},
            )
        )
    return changes
