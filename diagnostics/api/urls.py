from django.urls import path

from diagnostics.api.views import DiagnosticViewSet

urlpatterns = [
    path(
        "agents/<str:agent_id>/diagnostics/pending",
        DiagnosticViewSet.as_view({"get": "pending"}),
    ),
    path("deployment-objects/<str:object_id>/diagnostics", DiagnosticViewSet.as_view({"post": "create"})),
    path("diagnostics/<str:diagnostic_id>", DiagnosticViewSet.as_view({"get": "retrieve"})),
    path("diagnostics/<str:diagnostic_id>/claim", DiagnosticViewSet.as_view({"post": "claim"})),
    path("diagnostics/<str:diagnostic_id>/result", DiagnosticViewSet.as_view({"post": "submit"})),
]
