from django.apps import AppConfig

from core.registering import RegistersWhenReady


class WebhooksConfig(RegistersWhenReady, AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks"
