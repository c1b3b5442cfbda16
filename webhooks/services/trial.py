"""The test of a subscription: one request now, of which no delivery tells."""

from dataclasses import replace
from datetime import datetime

from uuid_utils.compat import uuid7

from webhooks.endpoints import policy
from webhooks.errors import WebhookTestFailed
from webhooks.event_types import TEST_EVENT
from webhooks.models import Subscription
from webhooks.payloads import render
from webhooks.services.decryption import open_counted
from webhooks.transport import send

# Somebody waits for the answer, and a thread of the web process with them.
_MOST_SECONDS = 30
_SHOWN_BODY = 500


def send_test(*, subscription: Subscription, now: datetime) -> int:
    """Send a test event from here, whoever delivers the others; the status of the endpoint's success.

    Not to be called in a transaction, which would be as long as the request.
    Raises WebhookTestFailed, WebhookKeyMissing, WebhookUnreadable.
    """
    endpoint = open_counted(subscription, now=now, path="test")
    endpoint = replace(endpoint, timeout_seconds=min(endpoint.timeout_seconds, _MOST_SECONDS))
    event_id = uuid7()
    payload = render(
        event_id=event_id,
        event_type=TEST_EVENT,
        at=now,
        data={"message": "This is a test event.", "subscription_id": subscription.pk},
    )
    message = endpoint.message(
        delivery_id=uuid7(), event_id=event_id, event_type=TEST_EVENT, payload=payload, now=now
    )
    outcome = send(message, policy=policy(), now=now)
    if outcome.status_code is None:
        raise WebhookTestFailed(f"The endpoint could not be reached: {outcome.error}.", success=False)
    if not outcome.success:
        raise WebhookTestFailed(
            f"The endpoint answered {outcome.status_code}.",
            success=False,
            status_code=outcome.status_code,
            body=outcome.body[:_SHOWN_BODY],
        )
    return outcome.status_code
