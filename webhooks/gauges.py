"""Metrics about webhooks, computed at each scrape."""

from collections.abc import Iterable

from django.db.models import Count, Min
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from core import clock
from core.metrics import gauges
from webhooks.models import DecryptFailure, Delivery, HeldNotice, Status, Subscription

# Successes are not counted: to count a week of them takes longer than all the rest of a scrape.
_COUNTED = (Status.PENDING, Status.ACQUIRED, Status.FAILED, Status.DEAD)


@gauges
def webhook_gauges() -> Iterable[Metric]:
    counts = GaugeMetricFamily(
        "brokkr_webhook_deliveries",
        "Webhook deliveries that are not over, and dead ones that are still kept.",
        labels=["status"],
    )
    rows = Delivery.objects.visible().filter(status__in=_COUNTED).order_by().values_list("status")
    found = dict(rows.annotate(deliveries=Count("*")))
    for status in _COUNTED:
        counts.add_metric([status.value], found.get(status.value, 0))
    yield counts
    now = clock.now()
    oldest = Delivery.objects.visible().filter(status=Status.PENDING).aggregate(at=Min("created_at"))["at"]
    yield GaugeMetricFamily(
        "brokkr_webhook_oldest_pending_age_seconds",
        "Age of the oldest webhook delivery that nobody has tried yet, 0 when there is none.",
        value=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
    )
    due = Delivery.objects.visible().due(now).aggregate(at=Min("due_at"))["at"]
    yield GaugeMetricFamily(
        "brokkr_webhook_oldest_due_age_seconds",
        "How long the webhook delivery that is due the longest has been due, also for another attempt; 0 when none is.",
        value=max(0.0, (now - due).total_seconds()) if due else 0.0,
    )
    held = HeldNotice.objects.filter(subscription__in=Subscription.objects.active())
    waiting = held.aggregate(notices=Count("*"), at=Min("created_at"))
    yield GaugeMetricFamily(
        "brokkr_webhook_held_notices",
        "Events that wait until the limit of their webhook lets them go.",
        value=waiting["notices"],
    )
    yield GaugeMetricFamily(
        "brokkr_webhook_oldest_held_age_seconds",
        "Age of the oldest of these events, 0 when there is none.",
        value=max(0.0, (now - waiting["at"]).total_seconds()) if waiting["at"] else 0.0,
    )
    failures = CounterMetricFamily(
        "brokkr_webhook_decrypt_failures",
        "Times that something stored of a webhook could not be decrypted.",
        labels=["field", "path"],
    )
    for row in DecryptFailure.objects.order_by("field", "path"):
        failures.add_metric([row.field, row.path], row.failures)
    yield failures
