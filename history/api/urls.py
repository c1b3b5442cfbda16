from django.urls import path

from history.api.views import HistoryViewSet

urlpatterns = [
    path("agents/<str:agent_id>/timeline", HistoryViewSet.as_view({"get": "of_agent"})),
    path("agents/<str:agent_id>/comparison", HistoryViewSet.as_view({"get": "comparison"})),
    path("stacks/<str:stack_id>/timeline", HistoryViewSet.as_view({"get": "of_stack"})),
]
