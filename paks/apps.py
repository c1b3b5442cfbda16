from django.apps import AppConfig


class PaksConfig(AppConfig):
    name = "paks"
    verbose_name = "Keys"

    def ready(self) -> None:
        # Registers the key scheme with the OpenAPI generator.
        from paks.api import schema  # noqa: F401, PLC0415
