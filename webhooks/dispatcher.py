"""Sends the deliveries that the broker itself makes, several at once, so that a slow receiver delays no other.

Each request has a thread of its own, which does not use the database. The one thread that runs `deliver_due` claims
deliveries and records outcomes. A worker may end at any moment: its deliveries are free again when the lease runs out.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Thread
from uuid import UUID

from django.conf import settings

from core import clock
from core.jobs import stopping
from webhooks.endpoints import policy
from webhooks.models import Delivery
from webhooks.services.deliveries import Claim, claim_due, record_outcomes
from webhooks.transport import Outcome, Policy, send
from webhooks.vault import has_key

logger = logging.getLogger(__name__)

# One subscription gets at most one part in this many of the requests under way. The last part is for subscriptions with
# none under way, so that several that hang leave room too.
_SHARES = 5
# The subscriptions whose last request got no answer at all. They get one at a time until one is answered, because those
# that hang would have all places again as soon as their requests time out.
_unanswering: set[UUID] = set()
# How often to look for further due deliveries while requests are under way.
_LOOK_EVERY_SECONDS = 1.0
# How long requests under way may take after the worker is told to stop.
_GRACE_SECONDS = 4.0

_Ended = SimpleQueue[tuple[Claim, Outcome]]


def deliver_due() -> int:
    """Send due deliveries until there are none, or the worker is told to stop. Returns the number of attempts."""
    if not has_key():
        if Delivery.objects.by_broker().due(clock.now()).exists():
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
            record_outcomes(outcomes=outcomes, now=clock.now())
            _note_answers(outcomes)
            running.difference_update(claim for claim, _ in outcomes)
            attempts += len(outcomes)


def _start(running: set[Claim], ended: _Ended, at_once: int) -> None:
    """Start to send due deliveries, as many as there is room for."""
    room = at_once - len(running)
    if room <= 0:
        return
    now = clock.now()
    claims = claim_due(
        now=now,
        slots=room,
        busy=Counter(claim.subscription_id for claim in running),
        per_subscription=max(1, at_once // _SHARES),
        unanswering=_unanswering,
        reserve=at_once // _SHARES,
    )
    allowed = policy()
    for claim in claims:
        running.add(claim)
        # A daemon thread, so that a request that hangs does not keep the process from ending.
        Thread(target=_attempt, args=[claim, allowed, now, ended], name="webhook", daemon=True).start()


def _note_answers(outcomes: Iterable[tuple[Claim, Outcome]]) -> None:
    for claim, outcome in outcomes:
        if outcome.status_code is None:
            _unanswering.add(claim.subscription_id)
        else:
            _unanswering.discard(claim.subscription_id)


def _attempt(claim: Claim, allowed: Policy, now: datetime, ended: _Ended) -> None:
    """Send one delivery. Uses no database: the thread would leave a connection open when it ends."""
    try:
        outcome = send(claim.message, policy=allowed, now=now)
    except Exception:  # an unexpected error is a failed attempt too, so that it is recorded
        logger.exception("delivery %s could not be sent", claim.delivery_id)
        outcome = Outcome(error="the broker failed to send it")
    ended.put((claim, outcome))


def _wait(ended: _Ended) -> list[tuple[Claim, Outcome]]:
    """The requests that have ended. Waits for the first one, but not longer than _LOOK_EVERY_SECONDS."""
    try:
        found = [ended.get(timeout=_LOOK_EVERY_SECONDS)]
        while not ended.empty():
            found.append(ended.get_nowait())
    except Empty:
        return []
    return found
