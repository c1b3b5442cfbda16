"""POST /webhooks/{id}/test: one event now, and what came of it."""

import pytest

from tests.factories import make_webhook
from tests.support.api import refused
from tests.support.events import is_wire_time
from tests.support.receiver import answer, close_connection
from webhooks.endpoints import open_endpoint
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


def test_the_endpoint_gets_a_signed_event_and_no_delivery_tells_of_it(admin, receiver, now):
    webhook = make_webhook(url=receiver.url(), auth_header="Bearer token")
    response = admin.post(f"/webhooks/{webhook.id}/test")
    assert response.status_code == 200
    result = response.json()
    assert (result["success"], result["status_code"], type(result["message"])) == (True, 204, str)
    (request,) = receiver.received
    event = request.verify(open_endpoint(webhook, now=now).secrets[0])
    assert is_wire_time(event.pop("timestamp"))
    assert event == {
        "id": request.id,
        "event_type": "webhook.test",
        "data": {"message": "This is a test event.", "subscription_id": str(webhook.id)},
    }
    assert request.headers["Authorization"] == "Bearer token"
    assert request.headers["Content-Type"] == "application/json"
    assert not Delivery.objects.exists()


def test_an_answer_other_than_2xx_is_400_with_what_it_was(admin, receiver):
    receiver.usual = answer(503, b"x" * 501)
    body = refused(
        admin.post(f"/webhooks/{make_webhook(url=receiver.url()).id}/test"), 400, "webhook_test_failed"
    )
    expected = {"success": False, "status_code": 503, "body": "x" * 500}
    assert body["details"] == expected
    assert body.items() >= expected.items()


def test_no_answer_is_400_without_a_status(admin, receiver):
    receiver.usual = close_connection
    body = refused(
        admin.post(f"/webhooks/{make_webhook(url=receiver.url()).id}/test"), 400, "webhook_test_failed"
    )
    assert body["details"] == {"success": False}
    assert body["success"] is False


def test_an_address_that_is_not_allowed_is_400_with_what_to_set(admin):
    body = refused(
        admin.post(f"/webhooks/{make_webhook(url='http://127.0.0.2/').id}/test"), 400, "webhook_test_failed"
    )
    assert "BROKKR_WEBHOOK_ALLOWED_NETWORKS" in body["message"]


def test_a_disabled_webhook_and_one_for_agents_are_tested_from_the_broker_too(admin, receiver):
    webhook = make_webhook(url=receiver.url(), enabled=False, target_labels=["edge"])
    assert admin.post(f"/webhooks/{webhook.id}/test").status_code == 200


def test_what_cannot_be_decrypted_is_500_with_what_to_set(admin, settings):
    webhook = make_webhook()
    settings.WEBHOOK_ENCRYPTION_KEYS = [b"\1" * 32]
    body = refused(admin.post(f"/webhooks/{webhook.id}/test"), 500, "webhook_unreadable")
    assert "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY" in body["message"]
