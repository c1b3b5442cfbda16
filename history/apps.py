from django.apps import AppConfig

from core.registering import RegistersWhenReady


class HistoryConfig(RegistersWhenReady, AppConfig):
    name = "history"
    verbose_name = "History"
