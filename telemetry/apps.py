from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = "Telemetry"

    def ready(self) -> None:
        from telemetry import gauges  # noqa: F401, PLC0415  # as in every app, metrics are registered when it is ready
