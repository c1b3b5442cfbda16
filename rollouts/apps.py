from django.apps import AppConfig

from core.registering import RegistersWhenReady


class RolloutsConfig(RegistersWhenReady, AppConfig):
    name = "rollouts"
    verbose_name = "Rollouts"
