"""Creating, changing and deleting subscriptions, and replacing their secrets."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from core import clock
from core.crypto import keyed_digest
from core.events import Actor, Event, emit, with_via
from core.validators import MAX_NAME, is_blank, is_label, is_name
from webhooks.errors import (
    InvalidUrlScheme,
    InvalidWebhook,
    UrlRequired,
    WebhookKeyMissing,
    WebhookNotFound,
    WebhookOutOfRange,
    WebhookUnreadable,
)
from webhooks.event_kinds import WebhookEventKind
from webhooks.event_types import MAX_EVENT_TYPE
from webhooks.formats import Format
from webhooks.models import Audience, AudienceLabel, EventPattern, Subscription
from webhooks.models.subscription import MAX_PER_MINUTE, MAX_RETRIES, MAX_TIMEOUT_SECONDS
from webhooks.signing import new_secret
from webhooks.transport import Refused, check_url
from webhooks.vault import open_text, seal_text

LONGEST_OVERLAP = timedelta(days=30)
_UNREADABLE = "unreadable"


class Filters(TypedDict, total=False):
    """Choose only events whose data have these values. An absent or empty filter does not matter."""

    agent_id: UUID | None
    stack_id: UUID | None


class SubscriptionChanges(TypedDict, total=False):
    """The fields that a caller may change. An absent field is not changed.

    None removes header, filters, limit or labels.
    """

    name: str
    url: str
    auth_header: str | None
    event_types: Sequence[str]
    filters: Filters | None
    enabled: bool
    max_retries: int
    timeout_seconds: int
    max_deliveries_per_minute: int | None
    target_labels: Sequence[str] | None
    format: str


def lock_subscription(subscription_id: UUID) -> Subscription:
    """The live subscription, locked until the transaction ends. Raises WebhookNotFound."""
    # This lock does not block transactions that write deliveries for it; otherwise they would wait for each other.
    rows = Subscription.objects.active().select_for_update(no_key=True, of=("self",)).shown()
    subscription = rows.filter(id=subscription_id).first()
    if subscription is None:
        raise WebhookNotFound(id=subscription_id)
    return subscription


@transaction.atomic
def create_subscription(
    *,
    name: str,
    url: str,
    event_types: Sequence[str],
    actor: Actor,
    auth_header: str | None = None,
    filters: Filters | None = None,
    enabled: bool = True,
    max_retries: int = 5,
    timeout_seconds: int = 30,
    max_deliveries_per_minute: int | None = None,
    target_labels: Sequence[str] | None = None,
    format: str = Format.STANDARD,  # noqa: A002  # the word of the wire
) -> tuple[Subscription, str]:
    """Create a subscription; the subscription and the secret that signs its deliveries, which is shown only now.

    Raises UrlRequired, InvalidUrlScheme, InvalidWebhook, WebhookOutOfRange, WebhookKeyMissing.
    """
    secret = new_secret()
    subscription = Subscription(secret_sealed=seal_text(secret))
    _apply(
        subscription,
        {
            "name": name,
            "url": url,
            "auth_header": auth_header,
            "event_types": event_types,
            "filters": filters,
            "enabled": enabled,
            "max_retries": max_retries,
            "timeout_seconds": timeout_seconds,
            "max_deliveries_per_minute": max_deliveries_per_minute,
            "target_labels": target_labels,
            "format": format,
        },
    )
    subscription.save()
    _write_patterns(subscription, event_types)
    _tell(
        WebhookEventKind.WEBHOOK_CREATED,
        subscription,
        actor,
        {"name": name, "event_types": subscription.event_types},
        after=_facts(subscription),
    )
    return subscription, secret


@transaction.atomic
def update_subscription(
    *, subscription: Subscription, changes: SubscriptionChanges, actor: Actor
) -> Subscription:
    """Apply `changes` to a locked subscription.

    Waiting deliveries are sent to the changed endpoint, but by the same agents or worker as before.

    Raises what `create_subscription` raises.
    """
    old = _facts(subscription)
    _apply(subscription, changes)
    subscription.updated_at = clock.now()
    subscription.save()
    if "event_types" in changes:
        subscription.patterns.all().delete()
        _write_patterns(subscription, changes["event_types"])
    new = _facts(subscription)
    _tell(
        WebhookEventKind.WEBHOOK_UPDATED,
        subscription,
        actor,
        {"name": subscription.name, "enabled": subscription.enabled, "fields": sorted(changes)},
        before={name: value for name, value in old.items() if new[name] != value},
        after={name: value for name, value in new.items() if old[name] != value},
    )
    return subscription


@transaction.atomic
def delete_subscription(*, subscription: Subscription, actor: Actor) -> None:
    """Delete a locked subscription and its secrets. From now on nobody sees its deliveries.

    The row stays, because a change that is being written at the same time may still refer to it.
    """
    old = _facts(subscription)
    subscription.deleted_at = subscription.updated_at = clock.now()
    subscription.enabled = False
    subscription.url_sealed = subscription.auth_header_sealed = b""
    subscription.secret_sealed = subscription.previous_secret_sealed = b""
    subscription.save()
    _tell(WebhookEventKind.WEBHOOK_DELETED, subscription, actor, None, before=old)


@transaction.atomic
def rotate_secret(*, subscription: Subscription, overlap: timedelta, actor: Actor, now: datetime) -> str:
    """Make a new secret for a locked subscription. The previous one signs too during `overlap`, if it can be decrypted;
    an older one ends.

    Raises WebhookOutOfRange, WebhookKeyMissing.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise WebhookOutOfRange(
            f"overlap_seconds must be from 0 to {int(LONGEST_OVERLAP.total_seconds())}.",
            field="overlap_seconds",
        )
    secret = new_secret()
    old = _secret_digest(subscription.secret_sealed)
    # With a secret that no key decrypts nothing can be signed; kept, it would end every delivery during the overlap.
    if overlap and old != _UNREADABLE:
        subscription.previous_secret_sealed = bytes(subscription.secret_sealed)
        subscription.previous_secret_ends_at = now + overlap
    else:
        subscription.previous_secret_sealed, subscription.previous_secret_ends_at = b"", None
    subscription.secret_sealed = seal_text(secret)
    subscription.updated_at = now
    subscription.save()
    _tell(
        WebhookEventKind.WEBHOOK_SECRET_ROTATED,
        subscription,
        actor,
        {"overlap_seconds": int(overlap.total_seconds())},
        before={"secret": old},
        after={"secret": _secret_digest(subscription.secret_sealed)},
    )
    return secret


@transaction.atomic
def seal_anew(*, actor: Actor, via: str | None = None) -> int:
    """Encrypt all stored values with the first key, so that the other keys can be removed; the number changed.

    Raises WebhookKeyMissing, WebhookUnreadable; then nothing is changed.
    """
    names = ("url_sealed", "auth_header_sealed", "secret_sealed", "previous_secret_sealed")
    rows = Subscription.objects.active().select_for_update(no_key=True).order_by("id")
    for subscription in rows:
        for name in names:
            if sealed := getattr(subscription, name):
                setattr(subscription, name, seal_text(open_text(sealed)))
        subscription.save(update_fields=names)
        _tell(WebhookEventKind.WEBHOOK_SEALED_ANEW, subscription, actor, with_via({}, via))
    return len(rows)


def _apply(subscription: Subscription, changes: SubscriptionChanges) -> None:
    """Check the fields and set them, except the patterns, which have their own rows."""
    _check(changes)
    for name in (
        "name",
        "enabled",
        "format",
        "max_retries",
        "timeout_seconds",
        "max_deliveries_per_minute",
    ):
        if name in changes:
            setattr(subscription, name, changes[name])
    if "url" in changes:
        subscription.url_sealed = seal_text(changes["url"])
    if "auth_header" in changes:
        header = changes["auth_header"]
        subscription.auth_header_sealed = b"" if header is None else seal_text(header)
    if "filters" in changes:
        filters = changes["filters"] or {}
        subscription.filter_agent_id = filters.get("agent_id")
        subscription.filter_stack_id = filters.get("stack_id")
    if "target_labels" in changes:
        subscription.audience = _audience(changes["target_labels"] or [])
    if subscription.format == Format.PLAIN and subscription.audience is not None:
        raise InvalidWebhook(
            "Agents send every body as JSON, so the format plain is only for what the broker delivers.",
            field="format",
        )


def _check(changes: SubscriptionChanges) -> None:
    if "name" in changes and not is_name(changes["name"]):
        raise InvalidWebhook(f"name must have 1 to {MAX_NAME} characters.", field="name")
    if "url" in changes:
        _check_url(changes["url"])
    header = changes.get("auth_header")
    if header is not None and (is_blank(header) or header != header.strip() or not header.isprintable()):
        raise InvalidWebhook("auth_header must be the value of a header, or null.", field="auth_header")
    if "event_types" in changes:
        patterns = changes["event_types"]
        if not patterns or any(is_blank(pattern) or len(pattern) > MAX_EVENT_TYPE for pattern in patterns):
            raise InvalidWebhook(
                f"event_types must name at least one type, each of 1 to {MAX_EVENT_TYPE} characters.",
                field="event_types",
            )
    if wrong := [label for label in changes.get("target_labels") or [] if not is_label(label)]:
        raise InvalidWebhook("target_labels has what no label can be.", field="target_labels", wrong=wrong)
    if "format" in changes and changes["format"] not in set(Format):
        raise InvalidWebhook(f"format must be one of {', '.join(Format)}.", field="format")
    _check_bounds(changes)


def _check_bounds(changes: SubscriptionChanges) -> None:
    if not 0 <= changes.get("max_retries", 0) <= MAX_RETRIES:
        raise WebhookOutOfRange(f"max_retries must be from 0 to {MAX_RETRIES}.", field="max_retries")
    if not 1 <= changes.get("timeout_seconds", 1) <= MAX_TIMEOUT_SECONDS:
        raise WebhookOutOfRange(
            f"timeout_seconds must be from 1 to {MAX_TIMEOUT_SECONDS}.", field="timeout_seconds"
        )
    per_minute = changes.get("max_deliveries_per_minute")
    if per_minute is not None and not 1 <= per_minute <= MAX_PER_MINUTE:
        raise WebhookOutOfRange(
            f"max_deliveries_per_minute must be from 1 to {MAX_PER_MINUTE}, or null.",
            field="max_deliveries_per_minute",
        )


def _check_url(url: str) -> None:
    if is_blank(url):
        raise UrlRequired
    schemes = settings.WEBHOOK_ALLOWED_SCHEMES
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise InvalidUrlScheme(
            f"The URL must begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}."
        )
    try:
        check_url(url, schemes=schemes)
    except Refused as refusal:
        text = str(refusal)
        raise InvalidWebhook(f"{text[0].upper()}{text[1:]}.", field="url") from refusal


def _audience(labels: Sequence[str]) -> Audience | None:
    """The audience for the labels. None if there are no labels: then the broker delivers."""
    labels = list(dict.fromkeys(labels))
    if not labels:
        return None
    digest = hashlib.sha256(orjson.dumps(labels)).hexdigest()
    audience, is_new = Audience.objects.get_or_create(digest=digest, defaults={"labels": labels})
    if is_new:
        AudienceLabel.objects.bulk_create(AudienceLabel(audience=audience, label=label) for label in labels)
    return audience


def _write_patterns(subscription: Subscription, event_types: Sequence[str]) -> None:
    EventPattern.objects.bulk_create(
        EventPattern(subscription=subscription, pattern=pattern) for pattern in dict.fromkeys(event_types)
    )
    # The patterns that were read before are out of date.
    vars(subscription).pop("_prefetched_objects_cache", None)


def _facts(subscription: Subscription) -> dict[str, object]:
    """What the audit log says of it. An URL and a header may hold a password."""
    audience = subscription.audience
    return {
        "name": subscription.name,
        "url": _secret_digest(subscription.url_sealed),
        "auth_header": _secret_digest(subscription.auth_header_sealed),
        "event_types": list(subscription.event_types),
        "agent_id": str(subscription.filter_agent_id) if subscription.filter_agent_id else None,
        "stack_id": str(subscription.filter_stack_id) if subscription.filter_stack_id else None,
        "enabled": subscription.enabled,
        "format": subscription.format,
        "max_retries": subscription.max_retries,
        "timeout_seconds": subscription.timeout_seconds,
        "max_deliveries_per_minute": subscription.max_deliveries_per_minute,
        "target_labels": list(audience.labels) if audience is not None else [],
    }


def _secret_digest(sealed: bytes | memoryview) -> str | None:
    """Whether two stored secrets are the same; _UNREADABLE for what no key decrypts any more."""
    if not sealed:
        return None
    try:
        value = open_text(bytes(sealed))
    except (WebhookKeyMissing, WebhookUnreadable):
        return _UNREADABLE
    return keyed_digest(value, secret=settings.SECRET_KEY.encode(), purpose=b"audited webhooks")


def _tell(
    kind: WebhookEventKind,
    subscription: Subscription,
    actor: Actor,
    details: Mapping[str, object] | None,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type=Subscription.NOUN,
            resource_id=subscription.id,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
