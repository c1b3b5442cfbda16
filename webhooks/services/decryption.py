"""Decrypting a subscription's endpoint, and counting failures."""

from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import F

from webhooks.endpoints import Endpoint, open_endpoint
from webhooks.errors import WebhookUnreadable
from webhooks.models import DecryptFailure, Subscription

# Who needs the endpoint: the broker's worker, an agent that delivers, or the test of a subscription.
Path = Literal["broker", "agent", "test"]


def open_counted(subscription: Subscription, *, now: datetime, path: Path) -> Endpoint:
    """Decrypt the endpoint. Raises WebhookKeyMissing, and WebhookUnreadable, which is counted."""
    try:
        return open_endpoint(subscription, now=now)
    except WebhookUnreadable as unreadable:
        _count(str(unreadable.details["field"]), path)
        raise


@transaction.atomic
def _count(field: str, path: Path) -> None:
    row, _ = DecryptFailure.objects.get_or_create(field=field, path=path)
    DecryptFailure.objects.filter(pk=row.pk).update(failures=F("failures") + 1)
