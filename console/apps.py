from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class ControlRoomConfig(admin_apps.AdminConfig):
    """django.contrib.admin with our site."""

    # Named in INSTALLED_APPS by itself; this module's own app is the other one.
    default = False
    default_site = "console.site.ControlRoom"


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Control room"

    def ready(self) -> None:
        from console import receivers  # noqa: F401, PLC0415  # models are not loaded before ready()

        # Sent for one app after the other. This app is the last of INSTALLED_APPS, so that all permissions exist.
        post_migrate.connect(_sync_groups, sender=self, dispatch_uid="console.sync_groups")


def _sync_groups(**kwargs: Any) -> None:
    # Models are not loaded before ready(), hence the import in here.
    from console.groups import sync_groups  # noqa: PLC0415

    sync_groups()
