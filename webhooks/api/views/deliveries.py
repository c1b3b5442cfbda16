from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent
from core import clock
from core.api.idempotency import idempotent
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from webhooks.api.permissions import IsAgent
from webhooks.api.serializers.deliveries import (
    AgentDeliverySerializer,
    DeliveryListQuery,
    DeliverySerializer,
    FeedItemSerializer,
    FeedQuery,
    ResultBody,
    ResultSerializer,
)
from webhooks.counters import AGENT_DELIVERY_DURATIONS
from webhooks.errors import AgentPakRequired, WebhookNotFound
from webhooks.models import Delivery, Subscription
from webhooks.services.deliveries import claim_for_agent, redeliver, report_result

_NEWEST_FIRST = ("-created_at", "-id")


class DeliveryViewSet(KeyedViewSet):
    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    # It takes them, and its answer has the URL and the header to send them with.
    writing_gets = frozenset({"pending"})

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {"pending": IsAdminOrThisAgent(), "result": IsAgent()}
        return [by_action.get(self.action) or IsAdmin()]

    @extend_schema(
        operation_id="list_webhook_deliveries",
        tags=["webhooks"],
        summary="List the deliveries of all webhooks",
        parameters=[FeedQuery],
        responses=FeedItemSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first, without payloads. Admin only."""
        query = self.read_query(FeedQuery)
        rows = Delivery.objects.visible().select_related("subscription", "audience").defer("payload")
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return self.answer_list(rows, FeedItemSerializer, order=_NEWEST_FIRST, query=query)

    @extend_schema(
        operation_id="list_deliveries",
        tags=["webhooks"],
        summary="List the deliveries of a webhook",
        parameters=[DeliveryListQuery],
        responses=DeliverySerializer(many=True),
    )
    def of_webhook(self, request: Request, *, webhook_id: UUID) -> HttpResponse:
        """Newest first. Admin only."""
        query = self.read_query(DeliveryListQuery)
        if not Subscription.objects.active().filter(id=webhook_id).exists():
            raise WebhookNotFound(id=webhook_id)
        rows = Delivery.objects.filter(subscription_id=webhook_id).select_related("audience")
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return self.answer_list(rows, DeliverySerializer, order=_NEWEST_FIRST, query=query)

    @extend_schema(
        operation_id="list_pending_webhooks",
        tags=["webhooks"],
        summary="Take the deliveries that are due for an agent",
        responses=AgentDeliverySerializer(many=True),
    )
    def pending(self, request: Request, *, agent_id: UUID) -> Response:
        """Up to ten, oldest first, of webhooks whose target labels the agent carries. They are the agent's for a
        minute, longer where a webhook's time-out is; then others may get them. Admin, or the agent itself.
        """
        claims = claim_for_agent(agent_id=agent_id, now=clock.now())
        return Response(AgentDeliverySerializer(cast(Any, claims), many=True).data)

    @extend_schema(
        operation_id="report_delivery_result",
        tags=["webhooks"],
        summary="Report the result of a delivery",
        request=ResultBody,
        responses=ResultSerializer,
    )
    def result(self, request: Request, *, delivery_id: UUID) -> Response:
        """By the agent that has taken it."""
        body: dict[str, Any] = self.read_body(ResultBody)
        duration_ms = body.pop("duration_ms")
        agent_id = self.caller.agent_id
        if agent_id is None:
            raise AgentPakRequired
        delivery = report_result(
            delivery_id=delivery_id, agent_id=agent_id, **body, actor=self.actor, now=clock.now()
        )
        if duration_ms is not None:
            AGENT_DELIVERY_DURATIONS.observe(max(0, duration_ms) / 1000)
        return Response(ResultSerializer(delivery).data)

    @extend_schema(
        operation_id="redeliver_webhook_delivery",
        tags=["webhooks"],
        summary="Send a delivery again",
        request=None,
        responses=DeliverySerializer,
    )
    @idempotent
    def redeliver(self, request: Request, *, delivery_id: UUID) -> Response:
        """With the same id and all its attempts, whatever became of it; not while it is being sent. Admin only."""
        delivery = redeliver(delivery_id=delivery_id, actor=self.actor, now=clock.now())
        return Response(DeliverySerializer(delivery).data)
