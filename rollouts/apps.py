from django.apps import AppConfig


class RolloutsConfig(AppConfig):
    name = "rollouts"
    verbose_name = "Rollouts"

    def ready(self) -> None:
        # Models are not loaded before ready(), hence the imports in here.
        from agents.models import HoldReason  # noqa: PLC0415
        from agents.unending_holds import register_owners  # noqa: PLC0415
        from rollouts import gauges, receivers  # noqa: F401, PLC0415
        from rollouts.owners import owned_by_freezes, owned_by_rollouts  # noqa: PLC0415

        register_owners(HoldReason.ROLLOUT, owned_by_rollouts)
        register_owners(HoldReason.FREEZE, owned_by_freezes)
