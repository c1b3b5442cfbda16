"""Keys that lack, and keys that anybody has."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from core import clock
from core.installation_checks import register_database_check
from paks.endings import ending_soon
from paks.look_ups import usable_admin_key
from paks.models import Pak

# So many keys are named.
_MOST_KEYS = 20


@register_database_check
def admin_key() -> Iterator[CheckMessage]:
    """Whether anybody can call the API as an admin."""
    if not usable_admin_key():
        yield Error(
            "No admin key works, so nobody can set anything up through the API.",
            hint="Run `manage.py bootstrap`, or `manage.py create_pak admin`.",
            id="brokkr.admin_key",
        )


@register_database_check
def development_key() -> Iterator[CheckMessage]:
    """The key that the documentation of the original broker publishes."""
    if Pak.objects.usable().filter(key_hash=settings.DEVELOPMENT_PAK_HASH).exists():
        yield Error(
            "The public development key works, and anybody holds it.",
            hint="Make another admin key (`manage.py create_pak admin`), then revoke it (`manage.py revoke_pak`).",
            id="brokkr.development_key",
        )


@register_database_check
def ending_keys() -> Iterator[CheckMessage]:
    """Keys that end soon and that nothing replaces."""
    rows = ending_soon(clock.now()).order_by("ends_at", "id")
    for pak in rows[:_MOST_KEYS]:
        yield Caution(
            f"The {pak.role} key {pak.name!r} ({pak.pk}) ends at {pak.ends_at:%Y-%m-%d %H:%M:%S} UTC.",
            hint="Replace it (`manage.py rotate_pak`), or give it another end on its page in the admin.",
            id="brokkr.ending_key",
        )
    if (more := rows.count() - _MOST_KEYS) > 0:
        yield Caution(f"{more} more keys end soon; the admin lists them.", id="brokkr.ending_key")
