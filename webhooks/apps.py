from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from webhooks import gauges, receivers  # noqa: F401, PLC0415  # models are not loaded before ready()
