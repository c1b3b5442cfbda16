"""The test of a subscription: one request now, without a delivery."""

from dataclasses import replace
from datetime import datetime

from uuid_utils.compat import uuid7

from webhooks.bodies import render_in
from webhooks.endpoints import policy
from webhooks.errors import WebhookTestFailed
from webhooks.event_types import TEST_EVENT
from webhooks.formats import Format
from webhooks.models import Subscription
from webhooks.notices import Names
from webhooks.services.decryption import open_counted
from webhooks.transport import send

# A user and a thread of the web process wait for the answer.
_MOST_SECONDS = 30
_SHOWN_BODY = 500


def send_test(*, subscription: Subscription, now: datetime) -> int:
    """Send a test event from this process, even if agents deliver; the status if the endpoint succeeded.

    Do not call it in a transaction, which would last as long as the request.
    Raises WebhookTestFailed, WebhookKeyMissing, WebhookUnreadable.
    """
    endpoint = open_counted(subscription, now=now, path="test")
    endpoint = replace(endpoint, timeout_seconds=min(endpoint.timeout_seconds, _MOST_SECONDS))
    event_id = uuid7()
    payload = render_in(
        Format(subscription.format),
        event_id=event_id,
        event_type=TEST_EVENT,
        at=now,
        data={"message": "This is a test event.", "subscription_id": subscription.pk},
        names=Names(),
    )
    message = endpoint.message(
        delivery_id=uuid7(),
        event_id=event_id,
        event_type=TEST_EVENT,
        payload=payload,
        format=subscription.format,
        now=now,
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
