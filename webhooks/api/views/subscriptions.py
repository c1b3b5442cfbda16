from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.idempotency import idempotent
from core.api.pagination import ListQuery
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from webhooks.api.serializers.subscriptions import (
    CreateWebhookBody,
    RotateSecretBody,
    SecretSerializer,
    SubscriptionSerializer,
    SubscriptionWithSecretSerializer,
    UpdateWebhookBody,
    WebhookTestSerializer,
    refuse_unsupported,
)
from webhooks.errors import WebhookIdMismatch, WebhookNotFound
from webhooks.event_types import EVENT_TYPES
from webhooks.models import Subscription
from webhooks.services.subscriptions import (
    SubscriptionChanges,
    create_subscription,
    delete_subscription,
    lock_subscription,
    rotate_secret,
    update_subscription,
)
from webhooks.services.trial import send_test

_EVENT_TYPES: Any = {"type": "array", "items": {"type": "string"}}
_ALL_TYPES = list(EVENT_TYPES)


class WebhookViewSet(KeyedViewSet):
    queryset = Subscription.objects.all()
    serializer_class = SubscriptionSerializer
    permission_classes = [IsAdmin]
    optional_body = frozenset({"rotate_secret"})

    @extend_schema(
        operation_id="list_webhooks",
        tags=["webhooks"],
        summary="List webhooks",
        parameters=[ListQuery],
        responses=SubscriptionSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first. Admin only."""
        rows = Subscription.objects.active().shown()
        query = self.read_query(ListQuery)
        return self.answer_list(rows, SubscriptionSerializer, order=("-created_at", "-id"), query=query)

    @extend_schema(
        operation_id="create_webhook",
        tags=["webhooks"],
        summary="Create a webhook",
        request=CreateWebhookBody,
        responses={201: SubscriptionWithSecretSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """The answer has the secret that signs deliveries, and only this answer. Admin only."""
        body = self._read(CreateWebhookBody)
        subscription, secret = create_subscription(**body, actor=self.actor)
        answer = SubscriptionWithSecretSerializer(subscription).data | {"secret": secret}
        return Response(answer, status=201)

    @extend_schema(
        operation_id="get_webhook",
        tags=["webhooks"],
        summary="Get a webhook",
        responses=SubscriptionSerializer,
    )
    def retrieve(self, request: Request, *, webhook_id: UUID) -> HttpResponse:
        """Admin only."""
        return self.answer(SubscriptionSerializer(_find(webhook_id)))

    @extend_schema(
        operation_id="update_webhook",
        tags=["webhooks"],
        summary="Change a webhook",
        request=UpdateWebhookBody,
        responses=SubscriptionSerializer,
    )
    def update(self, request: Request, *, webhook_id: UUID) -> HttpResponse:
        """What waits for the webhook is sent as it is then. Admin only."""
        changes = self._read(UpdateWebhookBody)
        if changes.pop("id", webhook_id) != webhook_id:
            raise WebhookIdMismatch
        with transaction.atomic():
            subscription = lock_subscription(webhook_id)
            self.require_match(SubscriptionSerializer(subscription))
            subscription = update_subscription(
                subscription=subscription, changes=cast(SubscriptionChanges, changes), actor=self.actor
            )
        return self.answer(SubscriptionSerializer(subscription))

    @extend_schema(
        operation_id="delete_webhook",
        tags=["webhooks"],
        summary="Delete a webhook",
        responses={204: None},
    )
    def destroy(self, request: Request, *, webhook_id: UUID) -> Response:
        """Its deliveries go with it. Admin only."""
        with transaction.atomic():
            subscription = lock_subscription(webhook_id)
            self.require_match(SubscriptionSerializer(subscription))
            delete_subscription(subscription=subscription, actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="list_event_types",
        tags=["webhooks"],
        summary="List the event types",
        responses={200: _EVENT_TYPES},
        examples=[OpenApiExample("All of them", value=_ALL_TYPES, response_only=True)],
    )
    def event_types(self, request: Request) -> Response:
        """What webhooks can hear of. Admin only."""
        return Response(EVENT_TYPES)

    @extend_schema(
        operation_id="test_webhook",
        tags=["webhooks"],
        summary="Send a test event",
        request=None,
        responses=WebhookTestSerializer,
    )
    def test(self, request: Request, *, webhook_id: UUID) -> Response:
        """One `webhook.test` from the broker, now, of which no delivery tells. Admin only."""
        status = send_test(subscription=_find(webhook_id), now=clock.now())
        answer = {"success": True, "status_code": status, "message": "The endpoint took the test event."}
        return Response(answer)

    @extend_schema(
        operation_id="rotate_webhook_secret",
        tags=["webhooks"],
        summary="Replace the secret of a webhook",
        request=RotateSecretBody,
        responses=SecretSerializer,
    )
    @idempotent
    def rotate_secret(self, request: Request, *, webhook_id: UUID) -> Response:
        """Deliveries carry two signatures until the old secret ends. Admin only."""
        overlap = timedelta(seconds=self.read_body(RotateSecretBody)["overlap_seconds"])
        with transaction.atomic():
            subscription = lock_subscription(webhook_id)
            secret = rotate_secret(
                subscription=subscription, overlap=overlap, actor=self.actor, now=clock.now()
            )
        ends_at = subscription.previous_secret_ends_at
        return Response(SecretSerializer({"secret": secret, "previous_secret_ends_at": ends_at}).data)

    def _read(self, body: Any) -> dict[str, Any]:
        value = self.read_json()
        if isinstance(value, dict):
            refuse_unsupported(value)
        return self.read_fields(body, value)


def _find(webhook_id: UUID) -> Subscription:
    subscription = Subscription.objects.active().shown().filter(id=webhook_id).first()
    if subscription is None:
        raise WebhookNotFound(id=webhook_id)
    return subscription
