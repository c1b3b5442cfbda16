"""Whether the broker could hear its agents."""

from django.db import models
from django.db.models import Q


class HearingMark(models.Model):
    """The latest span in which heartbeats could reach the broker without a break, by the database's clock: one row.

    Web processes move `until` on while agents can reach them; after a break `since` begins anew. What nobody could hear
    is no silence.
    """

    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        db_table = "hearing_mark"
        # People do not work with these rows.
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_hearing_mark")]

    def __str__(self) -> str:
        return f"{self.since} to {self.until}"
