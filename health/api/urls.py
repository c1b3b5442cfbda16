from django.urls import path

from health.api.views import HealthViewSet

urlpatterns = [
    path("agents/<str:agent_id>/health-status", HealthViewSet.as_view({"patch": "report"})),
    path("deployment-objects/<str:object_id>/health", HealthViewSet.as_view({"get": "of_object"})),
    path("stacks/<str:stack_id>/health", HealthViewSet.as_view({"get": "of_stack"})),
]
