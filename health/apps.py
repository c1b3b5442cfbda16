from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "health"
    verbose_name = "Health"

    def ready(self) -> None:
        from health import receivers  # noqa: F401, PLC0415  # models are not loaded before ready()
