from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.serializers.seals import (
    AuditSealSerializer,
    AuditVerificationSerializer,
    RangeOutcomeSerializer,
    RangeQuery,
    VerifyBody,
)
from audit.errors import VerificationNotFound
from audit.models import AuditSeal, AuditVerification
from audit.services import request_verification, verify_range
from core import clock
from core.api.idempotency import idempotent
from core.api.pagination import OffsetListQuery
from paks.api.permissions import IsAdmin
from paks.api.views import KeyedViewSet


class AuditSealViewSet(KeyedViewSet):
    queryset = AuditSeal.objects.all()
    serializer_class = AuditSealSerializer
    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="list_audit_seals",
        tags=["audit"],
        summary="List the seals of the audit log",
        parameters=[OffsetListQuery],
        responses=AuditSealSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first. Admin only."""
        query = self.read_query(OffsetListQuery)
        return self.answer_list(self.queryset, AuditSealSerializer, order=("-number",), query=query)

    @extend_schema(
        operation_id="verify_audit_seals",
        tags=["audit"],
        summary="Verify some seals of the audit log",
        parameters=[RangeQuery],
        responses=RangeOutcomeSerializer,
    )
    def verify(self, request: Request) -> Response:
        """Checks these seals and their entries at once, and how they follow on each other. Admin only."""
        query = self.read_query(RangeQuery)
        return Response(RangeOutcomeSerializer(verify_range(**query)).data)


class AuditVerificationViewSet(KeyedViewSet):
    queryset = AuditVerification.objects.all()
    serializer_class = AuditVerificationSerializer
    permission_classes = [IsAdmin]
    optional_body = frozenset({"create"})

    @extend_schema(
        operation_id="list_audit_verifications",
        tags=["audit"],
        summary="List verifications of the whole audit log",
        parameters=[OffsetListQuery],
        responses=AuditVerificationSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first. Admin only."""
        query = self.read_query(OffsetListQuery)
        return self.answer_list(
            self.queryset, AuditVerificationSerializer, order=("-created_at", "-id"), query=query
        )

    @extend_schema(
        operation_id="verify_audit_log",
        tags=["audit"],
        summary="Verify the whole audit log",
        request=VerifyBody,
        responses={202: AuditVerificationSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """The worker does it; ask for the verification again to learn what came of it. Admin only."""
        body = self.read_body(VerifyBody)
        verification = request_verification(**body, actor=self.actor, now=clock.now())
        return Response(AuditVerificationSerializer(verification).data, status=202)

    @extend_schema(
        operation_id="get_audit_verification",
        tags=["audit"],
        summary="Get a verification of the whole audit log",
        responses=AuditVerificationSerializer,
    )
    def retrieve(self, request: Request, *, verification_id: UUID) -> HttpResponse:
        """Admin only."""
        row = AuditVerification.objects.filter(pk=verification_id).first()
        if row is None:
            raise VerificationNotFound(id=verification_id)
        return self.answer(AuditVerificationSerializer(row))
