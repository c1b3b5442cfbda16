"""Makes deliveries of held notices: as many a minute as the subscription asks for, and a summary of the rest."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from webhooks.bodies import render_in
from webhooks.event_types import SUMMARY_EVENT
from webhooks.formats import Format
from webhooks.models import Delivery, HeldNotice, Subscription
from webhooks.notices import Names

_MINUTE = timedelta(minutes=1)
# The most notices that one summary counts: they are read and deleted in one transaction.
_MOST = 10_000
# The most notices that a summary names one by one, so that its body stays small.
_NAMED = 100


def let_go_of_held(*, now: datetime) -> int:
    """Make deliveries of the notices that are held, within the limits of their subscriptions; the number made.

    Each notice ends in exactly one delivery: its own, or a summary. Two callers never handle the same subscription.
    """
    holding = HeldNotice.objects.filter(subscription__deleted_at__isnull=True)
    ids = list(holding.order_by("subscription_id").values_list("subscription_id", flat=True).distinct())
    return sum(_let_go_of(subscription_id, now) for subscription_id in ids)


@transaction.atomic
def _let_go_of(subscription_id: UUID, now: datetime) -> int:
    # Another worker is at it, or somebody changes the limit: the next run looks again.
    locked = Subscription.objects.active().select_for_update(no_key=True, skip_locked=True)
    subscription = locked.filter(pk=subscription_id).first()
    if subscription is None:
        return 0
    room = _room(subscription, now)
    if room <= 0:
        return 0
    held = list(HeldNotice.objects.filter(subscription=subscription).defer("payload").order_by("id")[:_MOST])
    alone = held if len(held) <= room else held[: room - 1]
    payloads = dict(
        HeldNotice.objects.filter(pk__in=[notice.pk for notice in alone]).values_list("pk", "payload")
    )
    for notice in alone:
        notice.payload = payloads[notice.pk]
    deliveries = [_delivery_of(notice, at=now) for notice in alone]
    if rest := held[len(alone) :]:
        deliveries.append(_delivery_of(_summary(subscription, rest, now), at=now))
    Delivery.objects.bulk_create(deliveries)
    HeldNotice.objects.filter(pk__in=[notice.pk for notice in held]).delete()
    return len(deliveries)


def _room(subscription: Subscription, now: datetime) -> int:
    """How many deliveries may be made now, so that no minute has more than the limit."""
    limit = subscription.max_deliveries_per_minute
    if limit is None:
        return _MOST
    made = Delivery.objects.filter(subscription=subscription, created_at__gt=now - _MINUTE).count()
    return limit - made


def _delivery_of(notice: HeldNotice, *, at: datetime) -> Delivery:
    """The pending delivery of a notice, which is not stored yet and may be taken from `at` on."""
    return Delivery(
        subscription_id=notice.subscription_id,
        audience_id=notice.audience_id,
        event_type=notice.event_type,
        event_id=notice.event_id,
        payload=notice.payload,
        format=notice.format,
        created_at=at,
        due_at=at,
    )


def _summary(subscription: Subscription, notices: Sequence[HeldNotice], now: datetime) -> HeldNotice:
    """The one notice that stands for these, which are in the order in which they were written."""
    event_id = uuid7()
    data = {
        "subscription_id": subscription.pk,
        "count": len(notices),
        "event_types": dict(sorted(Counter(notice.event_type for notice in notices).items())),
        "first_at": min(notice.created_at for notice in notices),
        "last_at": max(notice.created_at for notice in notices),
        "events": [
            {"id": notice.event_id, "event_type": notice.event_type, "timestamp": notice.created_at}
            for notice in notices[:_NAMED]
        ],
    }
    return HeldNotice(
        subscription=subscription,
        audience_id=subscription.audience_id,
        event_type=SUMMARY_EVENT,
        event_id=event_id,
        payload=render_in(
            Format(subscription.format),
            event_id=event_id,
            event_type=SUMMARY_EVENT,
            at=now,
            data=data,
            names=Names(),
        ),
        format=subscription.format,
        created_at=now,
    )
