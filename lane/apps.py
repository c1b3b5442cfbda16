from django.apps import AppConfig

from core.registering import RegistersWhenReady


class LaneConfig(RegistersWhenReady, AppConfig):
    name = "lane"
    verbose_name = "Lane"
