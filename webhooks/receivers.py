"""Writes events that have a notice to the outbox."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from core.events import Event, Hearing, event_emitted
from webhooks.services.outbox import write_deliveries


# After the audit log, which may know that nobody hears of the events. INSTALLED_APPS gives that order.
@receiver(event_emitted, dispatch_uid="webhooks.write_deliveries")
def put_into_outbox(events: Sequence[Event], hearing: Hearing, **kwargs: Any) -> None:
    if not hearing.by_nobody:
        write_deliveries(events)
