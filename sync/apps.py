from django.apps import AppConfig

from core.registering import RegistersWhenReady


class SyncConfig(RegistersWhenReady, AppConfig):
    name = "sync"
    verbose_name = "Sync"
