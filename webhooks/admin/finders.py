"""How the search of the admin finds webhooks."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from core.admin.finders import Hit, is_id, register_finder
from webhooks.models import Subscription


def _webhooks(text: str, limit: int) -> Sequence[Hit]:
    rows = Subscription.objects.active().filter(is_id(text) or Q(name__icontains=text)).order_by("name", "id")
    return [
        Hit(
            row.name,
            "" if row.enabled else "disabled",
            reverse("admin:webhooks_subscription_change", args=[row.pk]),
        )
        for row in rows[:limit]
    ]


register_finder("Webhooks", _webhooks, "webhooks.view_subscription")
