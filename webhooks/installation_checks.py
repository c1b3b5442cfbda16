"""Webhooks that cannot be sent: no key, or a receiver that cannot be reached."""

import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Thread

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from core import clock
from core.installation_checks import register_database_check, register_process_check
from webhooks.endpoints import open_endpoint, policy
from webhooks.errors import WebhookUnreadable
from webhooks.models import Subscription
from webhooks.transport import Policy, reach
from webhooks.vault import has_key

# All receivers are tried at once, and all of them together take this long at most.
_PATIENCE_SECONDS = 5.0
_MOST_RECEIVERS = 50

_Tried = SimpleQueue[tuple[str, str]]


@register_process_check
def encryption_key() -> Iterator[CheckMessage]:
    """The key without which no webhook can be created or sent."""
    if not settings.WEBHOOK_ENCRYPTION_KEYS:
        yield Caution(
            "BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY is not set, so no webhook can be created or sent.",
            hint="Set it to 64 hex digits (`openssl rand -hex 32`), or run `manage.py bootstrap --with-webhook-key`.",
            id="brokkr.webhook_key",
        )


@register_database_check
def receivers() -> Iterator[CheckMessage]:
    """Connect to the newest receivers to which the broker itself delivers. Nothing is sent to them."""
    if not has_key():
        return
    urls: dict[str, str] = {}
    now = clock.now()
    mine = Subscription.objects.enabled().filter(audience__isnull=True).order_by("-created_at")
    for subscription in mine[:_MOST_RECEIVERS]:
        label = f"{subscription.name} ({subscription.pk})"
        try:
            urls[label] = open_endpoint(subscription, now=now).url
        except WebhookUnreadable:
            yield Error(
                f"What is stored of the webhook {label} cannot be decrypted.",
                hint="Give BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY the earlier key too, behind a comma.",
                id="brokkr.webhook_unreadable",
            )
    for label, why in _unreachable(urls):
        yield Caution(
            f"The receiver of the webhook {label} cannot be reached: {why}.",
            hint="Check the URL, the receiver, and what this machine may connect to.",
            id="brokkr.webhook_receiver",
        )


def _unreachable(urls: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each receiver that cannot be reached, with the reason."""
    deadline, tried = time.monotonic() + _PATIENCE_SECONDS, _Tried()
    allowed = policy()
    for label, url in urls.items():
        # A daemon thread, because resolving a name has no time-out and must not hold up the end of the process.
        Thread(target=_try, args=[label, url, allowed, tried], name="receiver", daemon=True).start()
    waiting = set(urls)
    while waiting:
        try:
            label, why = tried.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        waiting.remove(label)
        if why:
            yield label, why
    for label in sorted(waiting):
        yield label, f"no answer within {_PATIENCE_SECONDS} s"


def _try(label: str, url: str, allowed: Policy, tried: _Tried) -> None:
    tried.put((label, reach(url, policy=allowed, timeout_seconds=_PATIENCE_SECONDS)))
