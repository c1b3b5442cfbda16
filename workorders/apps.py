from django.apps import AppConfig


class WorkordersConfig(AppConfig):
    name = "workorders"
    verbose_name = "Work orders"

    def ready(self) -> None:
        from workorders import gauges, receivers  # noqa: F401, PLC0415  # models are not loaded before ready()
