from django.apps import AppConfig


class RolloutsConfig(AppConfig):
    name = "rollouts"
    verbose_name = "Rollouts"

    def ready(self) -> None:
        from rollouts import gauges, receivers  # noqa: F401, PLC0415  # models are not loaded before ready()
