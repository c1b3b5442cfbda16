from django.urls import path

from fleet.api.views import FleetViewSet

urlpatterns = [
    path("fleet", FleetViewSet.as_view({"get": "list"})),
    path("agents/<str:agent_id>/fleet-status", FleetViewSet.as_view({"get": "of_agent"})),
    path("agents/<str:agent_id>/explain", FleetViewSet.as_view({"get": "explain"})),
]
