"""Contents that were rolled back, so that a pipeline that publishes one again does not undo the rollback."""

from django.db import models
from uuid_utils.compat import uuid7

from core.moments import MomentField
from stacks.models import Stack


class RolledBackContent(models.Model):
    """A content of a stack that was rolled back and that nobody has allowed since."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    stack = models.ForeignKey(
        Stack, on_delete=models.CASCADE, related_name="rolled_back_contents", db_index=False
    )
    # The digest that `stacks.contents.content_digest` returns.
    digest = models.CharField(max_length=64)
    created_at = MomentField(editable=False)

    class Meta:
        db_table = "rolled_back_contents"
        constraints = [models.UniqueConstraint(fields=["stack", "digest"], name="unique_rolled_back_content")]

    def __str__(self) -> str:
        return f"{self.stack_id} {self.digest[:12]}"
