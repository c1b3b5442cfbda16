from django.urls import path

from inventory.api.views import AgentConflictsViewSet, ConflictsViewSet, ResourcesViewSet

urlpatterns = [
    path("resources", ResourcesViewSet.as_view({"get": "list"})),
    path("resources/unread-versions", ResourcesViewSet.as_view({"get": "unread"})),
    path("agents/<str:agent_id>/conflicts", AgentConflictsViewSet.as_view({"get": "list"})),
    path("stacks/<str:stack_id>/conflicts", ConflictsViewSet.as_view({"get": "list"})),
]
