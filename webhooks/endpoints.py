"""A subscription's endpoint with its decrypted secrets, and the requests that are sent to it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from webhooks.errors import WebhookUnreadable
from webhooks.formats import content_type
from webhooks.models import Subscription
from webhooks.signing import signature_headers
from webhooks.transport import Message, Policy
from webhooks.vault import open_text


def policy() -> Policy:
    """To which addresses the settings allow requests."""
    return Policy(
        schemes=settings.WEBHOOK_ALLOWED_SCHEMES,
        ports=settings.WEBHOOK_ALLOWED_PORTS,
        networks=settings.WEBHOOK_ALLOWED_NETWORKS,
    )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URL, the header and the secrets, the newest secret first. No repr shows them."""

    url: str = field(repr=False)
    auth_header: str | None = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout_seconds: int

    def message(
        self,
        *,
        delivery_id: UUID,
        event_id: UUID,
        event_type: str,
        payload: str,
        format: str,  # noqa: A002  # the word of the wire
        now: datetime,
    ) -> Message:
        """The request. Its headers are the ones that agents send too, and the signatures."""
        body = payload.encode()
        authorization = {} if self.auth_header is None else {"Authorization": self.auth_header}
        return Message(
            url=self.url,
            headers={
                "Content-Type": content_type(format),
                **authorization,
                "X-Brokkr-Event-Type": event_type,
                "X-Brokkr-Delivery-Id": str(delivery_id),
                **signature_headers(message_id=str(event_id), at=now, body=body, secrets=self.secrets),
            },
            body=body,
            timeout_seconds=self.timeout_seconds,
        )


def open_endpoint(subscription: Subscription, *, now: datetime) -> Endpoint:
    """Decrypt the endpoint. Raises WebhookKeyMissing, and WebhookUnreadable with the `field` that is unreadable."""
    header = subscription.auth_header_sealed
    secrets = [_open("secret", subscription.secret_sealed)]
    ends_at = subscription.previous_secret_ends_at
    if subscription.previous_secret_sealed and ends_at is not None and ends_at > now:
        secrets.append(_open("previous_secret", subscription.previous_secret_sealed))
    return Endpoint(
        url=_open("url", subscription.url_sealed),
        auth_header=_open("auth_header", header) if header else None,
        secrets=tuple(secrets),
        timeout_seconds=subscription.timeout_seconds,
    )


def _open(field: str, sealed: bytes | memoryview) -> str:
    try:
        return open_text(sealed)
    except WebhookUnreadable as unreadable:
        raise WebhookUnreadable(field=field) from unreadable
