"""Keys that lack, and keys that anybody has."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error

from core.installation_checks import register_database_check
from paks.models import Pak, Role


@register_database_check
def admin_key() -> Iterator[CheckMessage]:
    """Whether anybody can call the API as an admin."""
    if not Pak.objects.usable().filter(role=Role.ADMIN).exists():
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
