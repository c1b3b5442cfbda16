"""What the settings were when the audit log was last told, and the mark of the workers."""

from django.db import models


class ConfigSnapshot(models.Model):
    """The settings as the audit log last recorded them: one row, with each public key's value as text."""

    values = models.JSONField()

    class Meta:
        db_table = "config_snapshot"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_config_snapshot")]

    def __str__(self) -> str:
        return "settings"


class WorkerMark(models.Model):
    """When a worker was last seen, by the database's clock: one row, renewed by every worker that runs."""

    seen_at = models.DateTimeField()

    class Meta:
        db_table = "worker_mark"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_worker_mark")]
        default_permissions = ()
        permissions = [("check_installation", "Can see what is wrong with the installation")]

    def __str__(self) -> str:
        return "worker"
