"""The base of every resource, stored answers for repeated creates, buckets of the rate limit, and how jobs ran."""

from django.db import models
from uuid_utils.compat import uuid7

from core.moments import MomentField


class Resource(models.Model):
    """A row with a UUIDv7. Deleting it sets `deleted_at`, so that its history stays."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = MomentField(editable=False)
    updated_at = MomentField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class IdempotentAnswer(models.Model):
    """The first answer to a create that carried an Idempotency-Key.

    The body is encrypted with a key that only the caller can present again, because answers may hold a new
    PAK and this table must not be worth stealing.
    """

    id = models.BigAutoField(primary_key=True)
    caller = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = MomentField()

    class Meta:
        db_table = "idempotent_answers"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="unique_idempotency_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answers_created")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class RateBucket(models.Model):
    """The time when the token bucket of a key will be full again, in seconds since 1970. No row means a full bucket."""

    key = models.UUIDField(primary_key=True)
    full_at = models.FloatField()

    class Meta:
        db_table = "rate_buckets"
        indexes = [models.Index(fields=["full_at"], name="rate_buckets_full_at")]

    def __str__(self) -> str:
        return str(self.key)


class JobRuns(models.Model):
    """How often a job of the worker ran, for how long, and when it last succeeded. All workers add to it."""

    job = models.CharField(primary_key=True, max_length=200)
    runs = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "job_runs"

    def __str__(self) -> str:
        return self.job
