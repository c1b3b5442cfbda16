"""The broker's own deliveries: several at once, so that a slow receiver delays nobody else's.

Each request has a thread of its own, which knows no database; claims and outcomes are the business of the one thread
that runs `deliver_due`. A worker may end at any moment: what it held is free again when the lease runs out.
"""

import logging
import time
from collections import Counter
from queue import Empty, SimpleQueue
from threading import Thread

from django.conf import settings
from django.utils import timezone

from core.jobs import stopping
from webhooks.endpoints import policy
from webhooks.models import Delivery
from webhooks.services.deliveries import Claim, claim_due, record_outcomes
from webhooks.transport import Outcome, Policy, send
from webhooks.vault import has_key

logger = logging.getLogger(__name__)

# Of all that is under way at once a subscription has at most this part, so that there is room for others.
_SHARES = 5
# What has become due meanwhile is looked for this often while requests are under way.
_LOOK_EVERY_SECONDS = 1.0
# For requests that are under way when the worker is told to stop.
_GRACE_SECONDS = 4.0

_Ended = SimpleQueue[tuple[Claim, Outcome]]


def deliver_due() -> int:
    """Send what is due until nothing more is; the number of attempts. When told to stop, begin nothing new."""
    if not has_key():
        if Delivery.objects.by_broker().due(timezone.now()).exists():
            logger.error(
                "webhooks wait: BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY is not set, so none can be sent"
            )
        return 0
    at_once: int = settings.WEBHOOK_DELIVERY_BATCH_SIZE
    running: set[Claim] = set()
    ended: _Ended = SimpleQueue()
    attempts, give_up_at = 0, None
    while True:
        if not stopping.is_set():
            _start(running, ended, at_once)
        elif give_up_at is None:
            give_up_at = time.monotonic() + _GRACE_SECONDS
        if not running or (give_up_at is not None and time.monotonic() > give_up_at):
            return attempts
        outcomes = _wait(ended)
        if outcomes:
            record_outcomes(outcomes=outcomes, now=timezone.now())
            running.difference_update(claim for claim, _ in outcomes)
            attempts += len(outcomes)


def _start(running: set[Claim], ended: _Ended, at_once: int) -> None:
    """Begin to send what is due, as far as there is room."""
    room = at_once - len(running)
    if room <= 0:
        return
    claims = claim_due(
        now=timezone.now(),
        slots=room,
        busy=Counter(claim.subscription_id for claim in running),
        per_subscription=max(1, at_once // _SHARES),
    )
    allowed = policy()
    for claim in claims:
        running.add(claim)
        # A daemon: a request that hangs must not keep the process from ending.
        Thread(target=_attempt, args=[claim, allowed, ended], name="webhook", daemon=True).start()


def _attempt(claim: Claim, allowed: Policy, ended: _Ended) -> None:
    try:
        outcome = send(claim.message, policy=allowed, now=timezone.now())
    except Exception:  # what nobody foresaw is a failed attempt too, else nobody would hear of it
        logger.exception("delivery %s could not be sent", claim.delivery_id)
        outcome = Outcome(error="the broker failed to send it")
    ended.put((claim, outcome))


def _wait(ended: _Ended) -> list[tuple[Claim, Outcome]]:
    """What has ended, at least one unless a while passes without any."""
    try:
        found = [ended.get(timeout=_LOOK_EVERY_SECONDS)]
        while not ended.empty():
            found.append(ended.get_nowait())
    except Empty:
        return []
    return found
