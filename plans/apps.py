from django.apps import AppConfig

from core.registering import RegistersWhenReady


class PlansConfig(RegistersWhenReady, AppConfig):
    name = "plans"
    verbose_name = "Plans"
