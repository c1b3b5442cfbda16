from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as admin_apps
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register

from core.registering import RegistersWhenReady


class ControlRoomConfig(admin_apps.SimpleAdminConfig):
    """django.contrib.admin with our site. Pages are loaded with the routes and by the worker; commands need none."""

    # Named in INSTALLED_APPS by itself; this module's own app is the other one.
    default = False
    default_site = "console.site.ControlRoom"

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(_check_pages, Tags.admin)


def _check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Django's checks of the admin, which would otherwise find no pages where no routes have been loaded."""
    admin.autodiscover()
    return check_admin_app(app_configs, **options)


class ConsoleConfig(RegistersWhenReady, AppConfig):
    name = "console"
    verbose_name = "Control room"
