from django.urls import path

from telemetry.api.views import TelemetryViewSet

urlpatterns = [
    path("stacks/<str:stack_id>/events", TelemetryViewSet.as_view({"get": "events"})),
    path("stacks/<str:stack_id>/logs", TelemetryViewSet.as_view({"get": "logs"})),
    path("admin/ws/connections", TelemetryViewSet.as_view({"get": "connections"})),
]
