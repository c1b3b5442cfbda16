from django.apps import AppConfig

from core.registering import RegistersWhenReady


class CoreConfig(RegistersWhenReady, AppConfig):
    name = "core"
    verbose_name = "Core"
