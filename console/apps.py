from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps

from core.registering import RegistersWhenReady


class ControlRoomConfig(admin_apps.SimpleAdminConfig):
    """django.contrib.admin with our site. Its pages are loaded with the routes and by the worker."""

    # Named in INSTALLED_APPS by itself; this module's own app is the other one.
    default = False
    default_site = "console.site.ControlRoom"


class ConsoleConfig(RegistersWhenReady, AppConfig):
    name = "console"
    verbose_name = "Control room"
