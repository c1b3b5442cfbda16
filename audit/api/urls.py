from django.urls import path

from audit.api.views.entries import AuditLogViewSet
from audit.api.views.seals import AuditSealViewSet, AuditVerificationViewSet

urlpatterns = [
    path("admin/audit-logs", AuditLogViewSet.as_view({"get": "list"})),
    path("admin/audit-seals", AuditSealViewSet.as_view({"get": "list"})),
    path("admin/audit-seals/verify", AuditSealViewSet.as_view({"get": "verify"})),
    path("admin/audit-verifications", AuditVerificationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "admin/audit-verifications/<str:verification_id>",
        AuditVerificationViewSet.as_view({"get": "retrieve"}),
    ),
]
