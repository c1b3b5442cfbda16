"""Writes events that have a notice to the outbox."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from core.events import Event, event_emitted
from webhooks.services.outbox import write_deliveries


@receiver(event_emitted, dispatch_uid="webhooks.write_deliveries")
def put_into_outbox(events: Sequence[Event], **kwargs: Any) -> None:
    write_deliveries(events)
