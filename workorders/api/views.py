from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent
from agents.errors import AgentPakMismatch
from core import clock
from core.api.idempotency import idempotent
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet
from workorders.api.permissions import MayClaim, MayComplete
from workorders.api.serializers import (
    ClaimBody,
    ClaimedWorkOrderSerializer,
    CompleteBody,
    CreateWorkOrderBody,
    LogListQuery,
    PendingQuery,
    RenewBody,
    RetryScheduledSerializer,
    WorkOrderListQuery,
    WorkOrderLogSerializer,
    WorkOrderSerializer,
    finished_order,
)
from workorders.errors import WorkOrderLogEntryNotFound, WorkOrderNotFound
from workorders.matching import pending_for
from workorders.models import WorkOrder, WorkOrderLogEntry
from workorders.services.claims import claim_work_order, complete_work_order, renew_claim
from workorders.services.orders import cancel_work_order, create_work_order, lock_work_order
from workorders.services.targeting import Targeting


class WorkOrderViewSet(KeyedViewSet):
    queryset = WorkOrder.objects.all()
    serializer_class = WorkOrderSerializer
    optional_body = frozenset({"renew"})

    def get_permissions(self) -> list[BasePermission]:
        by_action: dict[str | None, BasePermission] = {
            "claim": MayClaim(),
            "renew": MayComplete(),
            "complete": MayComplete(),
            "pending": IsAdminOrThisAgent(),
        }
        return [by_action.get(self.action) or IsAdmin()]

    @extend_schema(
        operation_id="list_work_orders",
        tags=["work orders"],
        summary="List unfinished work orders",
        parameters=[WorkOrderListQuery],
        responses=WorkOrderSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first; finished orders are in the log. Admin only."""
        query = self.read_query(WorkOrderListQuery)
        exact = {name: query[name] for name in ("status", "work_type") if name in query}
        rows = WorkOrder.objects.filter(**exact)
        return self.answer_list(rows, WorkOrderSerializer, order=("-created_at", "-id"), query=query)

    @extend_schema(
        operation_id="create_work_order",
        tags=["work orders"],
        summary="Create a work order",
        request=CreateWorkOrderBody,
        responses={201: WorkOrderSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Agents that meet any part of the targeting may claim it. Admin only."""
        body = self.read_body(CreateWorkOrderBody)
        named: dict[str, Any] = body.pop("targeting") or {}
        agent_ids = [*(named.get("agent_ids") or []), *(body.pop("target_agent_ids") or [])]
        targeting = Targeting(agent_ids, named.get("labels") or [], named.get("annotations") or {})
        order = create_work_order(**body, targeting=targeting, actor=self.actor, now=clock.now())
        return Response(WorkOrderSerializer(order).data, status=201)

    @extend_schema(
        operation_id="get_work_order",
        tags=["work orders"],
        summary="Get a work order",
        responses=WorkOrderSerializer,
    )
    def retrieve(self, request: Request, *, work_order_id: UUID) -> HttpResponse:
        """An unfinished order, or a finished one as COMPLETED or FAILED. Admin only."""
        # The log is read after the orders, so that an order that finishes between the two queries is found.
        order = WorkOrder.objects.filter(id=work_order_id).first()
        if order is None:
            entry = WorkOrderLogEntry.objects.filter(id=work_order_id).first()
            if entry is None:
                raise WorkOrderNotFound(id=work_order_id)
            order = finished_order(entry)
        return self.answer(WorkOrderSerializer(order))

    @extend_schema(
        operation_id="delete_work_order",
        tags=["work orders"],
        summary="Cancel a work order",
        responses={204: None},
    )
    def destroy(self, request: Request, *, work_order_id: UUID) -> Response:
        """In any state; an agent that works on it hears 404 when it completes. Admin only."""
        with transaction.atomic():
            self.require_match(WorkOrderSerializer(lock_work_order(work_order_id)))
            cancel_work_order(work_order_id=work_order_id, actor=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="claim_work_order",
        tags=["work orders"],
        summary="Claim a work order",
        request=ClaimBody,
        responses=ClaimedWorkOrderSerializer,
    )
    def claim(self, request: Request, *, work_order_id: UUID) -> Response:
        """Exactly one of simultaneous claims succeeds. The agent itself, or an admin on its behalf."""
        agent_id: UUID = self.read_body(ClaimBody)["agent_id"]
        if not self.caller.is_admin and not self.caller.is_agent(agent_id):
            raise AgentPakMismatch
        order = claim_work_order(
            work_order_id=work_order_id, agent_id=agent_id, actor=self.actor, now=clock.now()
        )
        return Response(ClaimedWorkOrderSerializer(order).data)

    @extend_schema(
        operation_id="renew_work_order",
        tags=["work orders"],
        summary="Extend a claim",
        request=RenewBody,
        responses=ClaimedWorkOrderSerializer,
    )
    def renew(self, request: Request, *, work_order_id: UUID) -> Response:
        """The claim runs for its whole time-out again. The claimant, or an admin."""
        body = self.read_body(RenewBody)
        order = renew_claim(work_order_id=work_order_id, **body, actor=self.actor, now=clock.now())
        return Response(ClaimedWorkOrderSerializer(order).data)

    @extend_schema(
        operation_id="complete_work_order",
        tags=["work orders"],
        summary="Report the outcome of a work order",
        request=CompleteBody,
        responses={200: WorkOrderLogSerializer, 202: RetryScheduledSerializer},
    )
    def complete(self, request: Request, *, work_order_id: UUID) -> Response:
        """200 with the log entry when the order is finished, 202 when it will be tried again."""
        body = self.read_body(CompleteBody)
        entry = complete_work_order(work_order_id=work_order_id, **body, actor=self.actor, now=clock.now())
        if entry is None:
            return Response({"status": "retry_scheduled"}, status=202)
        return Response(WorkOrderLogSerializer(entry).data)

    @extend_schema(
        operation_id="list_pending_work_orders",
        tags=["work orders"],
        summary="List the orders an agent may claim",
        parameters=[PendingQuery],
        responses=WorkOrderSerializer(many=True),
    )
    def pending(self, request: Request, *, agent_id: UUID) -> HttpResponse:
        """Oldest first. Admin, or the agent itself."""
        query = self.read_query(PendingQuery)
        rows = pending_for(agent_id)
        if "work_type" in query:
            rows = rows.filter(work_type=query["work_type"])
        return self.answer_list(rows, WorkOrderSerializer, order=("created_at", "id"), query=query)


class WorkOrderLogViewSet(KeyedViewSet):
    queryset = WorkOrderLogEntry.objects.all()
    serializer_class = WorkOrderLogSerializer
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_work_order_log",
        tags=["work orders"],
        summary="List finished work orders",
        parameters=[LogListQuery],
        responses=WorkOrderLogSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Last finished first. Admin only."""
        query = self.read_query(LogListQuery)
        rows = WorkOrderLogEntry.objects.all()
        if "work_type" in query:
            rows = rows.filter(work_type=query["work_type"])
        if "success" in query:
            rows = rows.filter(success=query["success"])
        if "agent_id" in query:
            rows = rows.filter(claimed_by=query["agent_id"])
        return self.answer_list(rows, WorkOrderLogSerializer, order=("-completed_at", "-id"), query=query)

    @extend_schema(
        operation_id="get_work_order_log",
        tags=["work orders"],
        summary="Get a finished work order",
        responses=WorkOrderLogSerializer,
    )
    def retrieve(self, request: Request, *, work_order_id: UUID) -> HttpResponse:
        """Admin only."""
        entry = WorkOrderLogEntry.objects.filter(id=work_order_id).first()
        if entry is None:
            raise WorkOrderLogEntryNotFound(id=work_order_id)
        return self.answer(WorkOrderLogSerializer(entry))
