from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = "Agents"

    def ready(self) -> None:
        # Models are not loaded before ready(), hence the imports in here.
        from agents import gauges, receivers  # noqa: F401, PLC0415
        from agents.access import agent_may_read  # noqa: PLC0415
        from agents.services.agents import names_of  # noqa: PLC0415
        from paks.models import Role  # noqa: PLC0415
        from paks.subjects import register_names  # noqa: PLC0415
        from stacks.access import register_scope  # noqa: PLC0415

        register_scope(Role.AGENT, agent_may_read)
        register_names(Role.AGENT, names_of)
