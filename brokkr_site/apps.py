from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AppConfig):
    name = "brokkr_site"
    verbose_name = "Brokkr"


class ControlRoomConfig(AdminConfig):
    default_site = "console.site.ControlRoom"
