from django.apps import AppConfig

from core.registering import RegistersWhenReady


class StacksConfig(RegistersWhenReady, AppConfig):
    name = "stacks"
    verbose_name = "Stacks"
