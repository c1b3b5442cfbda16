from django.apps import AppConfig


class PaksConfig(AppConfig):
    name = "paks"
    verbose_name = "Keys"

    def ready(self) -> None:
        from paks import gauges  # noqa: F401, PLC0415  # models are not loaded before ready()

        # Registers the key scheme with the OpenAPI generator.
        from paks.api import schema  # noqa: F401, PLC0415
