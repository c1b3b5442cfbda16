from django.apps import AppConfig


class StacksConfig(AppConfig):
    name = "stacks"
    verbose_name = "Stacks"

    def ready(self) -> None:
        from stacks import gauges, receivers  # noqa: F401, PLC0415  # models are not loaded before ready()
