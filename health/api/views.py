from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.permissions import IsAdminOrThisAgent
from core import clock
from health.api.serializers import HealthStatusBody, ObjectHealthSerializer, StackHealthSerializer
from health.models import DeploymentHealth
from health.querysets import fresh_since
from health.rollup import effective_status, health_of_stack, overall
from health.services import HealthReport, report_health
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet


class HealthViewSet(KeyedViewSet):
    queryset = DeploymentHealth.objects.all()

    def get_permissions(self) -> list[BasePermission]:
        return [IsAdminOrThisAgent() if self.action == "report" else IsAdmin()]

    @extend_schema(
        operation_id="update_health_status",
        tags=["health status"],
        summary="Report the health of deployment objects",
        request=HealthStatusBody,
        responses={200: OpenApiResponse(description="Kept. The body is empty.")},
    )
    def report(self, request: Request, *, agent_id: UUID) -> Response:
        """All or none are kept; of two on one object the last counts. Send it again every minute: what is not repeated
        is `unknown` after a few minutes. Admin, or the agent itself.
        """
        reports = [
            HealthReport(
                deployment_object_id=body["id"],
                status=body["status"],
                checked_at=body["checked_at"],
                summary=body["summary"],
            )
            for body in self.read_body(HealthStatusBody)["deployment_objects"]
        ]
        report_health(agent_id=agent_id, reports=reports, actor=self.actor, now=clock.now())
        return Response()

    @extend_schema(
        operation_id="get_deployment_health",
        tags=["health status"],
        summary="Get what agents say of a deployment object",
        responses=ObjectHealthSerializer,
    )
    def of_object(self, request: Request, *, object_id: UUID) -> Response:
        """An object of which nobody has said anything, or that does not exist, is `unknown`. Admin only."""
        now = clock.now()
        records = list(
            DeploymentHealth.objects.filter(deployment_object__id=object_id).order_by("-checked_at", "-id")
        )
        answer = {
            "deployment_object_id": object_id,
            "overall_status": overall(effective_status(record, now) for record in records),
            "observed_at": max((record.updated_at for record in records), default=None),
            "health_records": records,
        }
        return Response(ObjectHealthSerializer(answer, context={"fresh_since": fresh_since(now)}).data)

    @extend_schema(
        operation_id="get_stack_health",
        tags=["health status"],
        summary="Get what agents say of a stack",
        responses=StackHealthSerializer,
    )
    def of_stack(self, request: Request, *, stack_id: UUID) -> Response:
        """A stack of which nobody has said anything, or that does not exist, is `unknown`. Admin only."""
        objects = health_of_stack(stack_id, now=clock.now())
        answer = {
            "stack_id": stack_id,
            "overall_status": overall(each.status for each in objects),
            "observed_at": max((each.observed_at for each in objects), default=None),
            "deployment_objects": objects,
        }
        return Response(StackHealthSerializer(answer).data)
