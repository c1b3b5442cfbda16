"""The periodic jobs about webhooks."""

from datetime import timedelta

from django.conf import settings

from core import clock
from core.jobs import periodic
from webhooks.dispatcher import deliver_due
from webhooks.services.limits import let_go_of_held
from webhooks.services.retention import end_waiting, remove_old, remove_orphaned


def _delivery_interval() -> timedelta:
    return timedelta(seconds=settings.WEBHOOK_DELIVERY_INTERVAL_SECONDS)


@periodic(every=_delivery_interval, is_long=True)
def deliver() -> int:
    return deliver_due()


@periodic(every=timedelta(seconds=1))
def let_go() -> int:
    return let_go_of_held(now=clock.now())


# Each run ends or removes a limited number, so both jobs run often.
@periodic(every=timedelta(minutes=5))
def end_waiting_deliveries() -> int:
    return end_waiting(now=clock.now(), keep=timedelta(days=settings.WEBHOOK_RETENTION_DAYS))


@periodic(every=timedelta(minutes=5))
def remove_old_deliveries() -> int:
    return remove_old(now=clock.now(), keep=timedelta(days=settings.WEBHOOK_RETENTION_DAYS))


@periodic(every=timedelta(minutes=1))
def remove_orphaned_deliveries() -> int:
    return remove_orphaned()
