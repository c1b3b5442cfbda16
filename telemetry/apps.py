from django.apps import AppConfig

from core.registering import RegistersWhenReady


class TelemetryConfig(RegistersWhenReady, AppConfig):
    name = "telemetry"
    verbose_name = "Telemetry"
