"""How often stored values could not be decrypted."""

from django.db import models


class DecryptFailure(models.Model):
    """The count for one field on one path.

    It is stored in the database, because most failures happen in the worker, but the web server answers `/metrics`.
    """

    id = models.BigAutoField(primary_key=True)
    field = models.CharField(max_length=20)
    path = models.CharField(max_length=20)
    failures = models.BigIntegerField(default=0)

    class Meta:
        db_table = "webhook_decrypt_failures"
        # People do not work with these rows.
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["field", "path"], name="unique_webhook_decrypt_failure")
        ]

    def __str__(self) -> str:
        return f"{self.field} by {self.path}"
