from django.apps import AppConfig

from core.registering import RegistersWhenReady


class ConfigConfig(RegistersWhenReady, AppConfig):
    name = "config"
    verbose_name = "Config"
