from django.apps import AppConfig

from core.registering import RegistersWhenReady


class AgentsConfig(RegistersWhenReady, AppConfig):
    name = "agents"
    verbose_name = "Agents"
