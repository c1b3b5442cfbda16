"""POST /webhooks/{id}/rotate-secret: for a while both secrets sign."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.events import SYSTEM
from tests.factories import make_webhook
from tests.support.api import refused
from webhooks.endpoints import open_endpoint
from webhooks.models import Subscription
from webhooks.services.subscriptions import lock_subscription, rotate_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook():
    return make_webhook()


def secrets(webhook, at):
    return open_endpoint(Subscription.objects.get(pk=webhook.pk), now=at).secrets


def test_the_new_secret_is_shown_once_and_the_old_one_signs_for_a_day(admin, webhook, now):
    (old,) = secrets(webhook, now)
    answer = admin.post(f"/webhooks/{webhook.id}/rotate-secret")
    assert answer.status_code == 200
    new = answer.json()["secret"]
    ends_at = parse_datetime(answer.json()["previous_secret_ends_at"])
    assert new not in admin.get(f"/webhooks/{webhook.id}").content.decode()
    assert timedelta(hours=23, minutes=59) < ends_at - timezone.now() <= timedelta(days=1)
    assert secrets(webhook, ends_at - timedelta(seconds=1)) == (new, old)
    assert secrets(webhook, ends_at) == (new,)


def test_a_leaked_secret_is_ended_at_once(admin, webhook, now):
    answer = admin.post(f"/webhooks/{webhook.id}/rotate-secret", {"overlap_seconds": 0}).json()
    assert answer["previous_secret_ends_at"] is None
    assert secrets(webhook, now) == (answer["secret"],)


def test_of_two_rotations_in_a_row_the_oldest_secret_ends(webhook, now):
    (first,) = secrets(webhook, now)
    second, third = (
        rotate_secret(
            subscription=lock_subscription(webhook.id), overlap=timedelta(hours=1), actor=SYSTEM, now=now
        )
        for _ in range(2)
    )
    assert secrets(webhook, now) == (third, second)
    assert first not in (second, third)


def test_a_secret_that_no_key_decrypts_ends_at_once_so_that_deliveries_are_signed_again(
    admin, webhook, settings, now
):
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\1" * 32]
    admin.put(f"/webhooks/{webhook.id}", {"url": "https://ci.example.com/hook"})
    answer = admin.post(f"/webhooks/{webhook.id}/rotate-secret").json()
    assert answer["previous_secret_ends_at"] is None
    assert secrets(webhook, now) == (answer["secret"],)


@pytest.mark.parametrize("seconds", [-1, 30 * 86400 + 1])
def test_an_overlap_out_of_range_is_refused(admin, webhook, now, seconds):
    before = secrets(webhook, now)
    answer = admin.post(f"/webhooks/{webhook.id}/rotate-secret", {"overlap_seconds": seconds})
    refused(answer, 422, "invalid_webhook")
    assert secrets(webhook, now) == before


def test_the_etag_tells_of_a_rotation(admin, webhook):
    tag = admin.get(f"/webhooks/{webhook.id}").headers["ETag"]
    admin.post(f"/webhooks/{webhook.id}/rotate-secret")
    assert admin.get(f"/webhooks/{webhook.id}").headers["ETag"] != tag
