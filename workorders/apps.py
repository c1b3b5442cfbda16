from django.apps import AppConfig

from core.registering import RegistersWhenReady


class WorkordersConfig(RegistersWhenReady, AppConfig):
    name = "workorders"
    verbose_name = "Work orders"
