from django.apps import AppConfig

from core.registering import RegistersWhenReady


class ServerConfig(RegistersWhenReady, AppConfig):
    name = "server"
    verbose_name = "Server"
