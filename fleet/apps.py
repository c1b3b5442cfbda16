from django.apps import AppConfig

from core.registering import RegistersWhenReady


class FleetConfig(RegistersWhenReady, AppConfig):
    name = "fleet"
    verbose_name = "Fleet"
