"""A subscription's endpoint with its secrets opened, and the requests that it is sent."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from webhooks.models import Subscription
from webhooks.sending import Message, Policy
from webhooks.signing import signature_headers
from webhooks.vault import open_text


def policy() -> Policy:
    """Where the settings allow requests to go."""
    return Policy(
        schemes=settings.WEBHOOK_ALLOWED_SCHEMES,
        ports=settings.WEBHOOK_ALLOWED_PORTS,
        networks=settings.WEBHOOK_ALLOWED_NETWORKS,
    )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where, as whom and signed by what; the newest secret first. No repr shows it."""

    url: str = field(repr=False)
    auth_header: str | None = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout_seconds: int

    def message(
        self, *, delivery_id: UUID, event_id: UUID, event_type: str, payload: str, now: datetime
    ) -> Message:
        """The request. The headers that are ours are those that agents send too, and the signatures."""
        body = payload.encode()
        authorization = {} if self.auth_header is None else {"Authorization": self.auth_header}
        return Message(
            url=self.url,
            headers={
                "Content-Type": "application/json",
                **authorization,
                "X-Brokkr-Event-Type": event_type,
                "X-Brokkr-Delivery-Id": str(delivery_id),
                **signature_headers(message_id=str(event_id), at=now, body=body, secrets=self.secrets),
            },
            body=body,
            timeout_seconds=self.timeout_seconds,
        )


def open_endpoint(subscription: Subscription, *, now: datetime) -> Endpoint:
    """Raises WebhookKeyMissing, WebhookUnreadable."""
    header = subscription.auth_header_sealed
    secrets = [open_text(subscription.secret_sealed)]
    ends_at = subscription.previous_secret_ends_at
    if subscription.previous_secret_sealed and ends_at is not None and ends_at > now:
        secrets.append(open_text(subscription.previous_secret_sealed))
    return Endpoint(
        url=open_text(subscription.url_sealed),
        auth_header=open_text(header) if header else None,
        secrets=tuple(secrets),
        timeout_seconds=subscription.timeout_seconds,
    )
