from django.apps import AppConfig

from core.registering import RegistersWhenReady


class HealthConfig(RegistersWhenReady, AppConfig):
    name = "health"
    verbose_name = "Health"
