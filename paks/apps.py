from django.apps import AppConfig

from core.registering import RegistersWhenReady


class PaksConfig(RegistersWhenReady, AppConfig):
    name = "paks"
    verbose_name = "Keys"
