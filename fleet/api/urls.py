from django.urls import path

from fleet.api.views import FleetViewSet

urlpatterns = [
    path("agents/<str:agent_id>/explain", FleetViewSet.as_view({"get": "explain"})),
]
