from django.apps import AppConfig

from core.registering import RegistersWhenReady


class DiagnosticsConfig(RegistersWhenReady, AppConfig):
    name = "diagnostics"
    verbose_name = "Diagnostics"
