from django.apps import AppConfig

from core.registering import RegistersWhenReady


class GeneratorsConfig(RegistersWhenReady, AppConfig):
    name = "generators"
    verbose_name = "Generators"
