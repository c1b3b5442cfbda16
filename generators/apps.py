from django.apps import AppConfig


class GeneratorsConfig(AppConfig):
    name = "generators"
    verbose_name = "Generators"

    def ready(self) -> None:
        from generators.services import names_of  # noqa: PLC0415  # models are not loaded before ready()
        from paks.models import Role  # noqa: PLC0415
        from paks.subjects import register_names  # noqa: PLC0415

        register_names(Role.GENERATOR, names_of)
