"""How often what is stored could not be decrypted."""

from django.db import models


class DecryptFailure(models.Model):
    """The count of one field on one path. Kept in the database, because it is the worker that meets most of them, and
    `/metrics` is the web server's.
    """

    id = models.BigAutoField(primary_key=True)
    field = models.CharField(max_length=20)
    path = models.CharField(max_length=20)
    failures = models.BigIntegerField(default=0)

    class Meta:
        db_table = "webhook_decrypt_failures"
        # Nobody works with these rows.
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["field", "path"], name="unique_webhook_decrypt_failure")
        ]

    def __str__(self) -> str:
        return f"{self.field} by {self.path}"
