from django.urls import path

from audit.api.views import AuditLogViewSet

urlpatterns = [path("admin/audit-logs", AuditLogViewSet.as_view({"get": "list"}))]
