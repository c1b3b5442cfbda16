from django.urls import path

from sync.api.views import SyncViewSet

urlpatterns = [
    path("agents/<str:agent_id>/sync", SyncViewSet.as_view({"post": "sync"})),
    path("agents/<str:agent_id>/confirmed-removals", SyncViewSet.as_view({"post": "confirm"})),
]
