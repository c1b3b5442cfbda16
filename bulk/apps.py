from django.apps import AppConfig

from core.registering import RegistersWhenReady


class BulkConfig(RegistersWhenReady, AppConfig):
    name = "bulk"
    verbose_name = "Bulk jobs"
