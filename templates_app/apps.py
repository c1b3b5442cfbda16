from django.apps import AppConfig

from core.registering import RegistersWhenReady


class TemplatesConfig(RegistersWhenReady, AppConfig):
    name = "templates_app"
    verbose_name = "Templates"
