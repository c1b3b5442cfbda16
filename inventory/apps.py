from django.apps import AppConfig

from core.registering import RegistersWhenReady


class InventoryConfig(RegistersWhenReady, AppConfig):
    name = "inventory"
    verbose_name = "Inventory"
