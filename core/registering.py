"""The one moment at which apps register with what is below them: when Django has loaded all models."""

from importlib import import_module
from types import ModuleType

from django.utils.module_loading import module_has_submodule

# Importing one of these registers what is in it. Apps come in the order of INSTALLED_APPS, which is therefore the
# order in which receivers hear a signal.
REGISTERING_MODULES = ("receivers", "gauges", "jobs", "wiring")


class RegistersWhenReady:
    """Mixed into the AppConfig of every app of ours, before Django's."""

    name: str
    module: ModuleType | None

    def ready(self) -> None:
        """Import the app's `receivers`, `gauges`, `jobs` and `wiring`, those that it has."""
        for module in REGISTERING_MODULES:
            if module_has_submodule(self.module, module):
                import_module(f"{self.name}.{module}")
