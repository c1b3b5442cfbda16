"""What the settings were when the audit log was last told."""

from django.db import models


class ConfigSnapshot(models.Model):
    """The settings as the audit log last recorded them: one row, with each public key's value as text."""

    values = models.JSONField()

    class Meta:
        db_table = "config_snapshot"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_config_snapshot")]

    def __str__(self) -> str:
        return "settings"
