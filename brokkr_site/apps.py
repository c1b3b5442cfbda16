from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "brokkr_site"
    verbose_name = "Brokkr"
