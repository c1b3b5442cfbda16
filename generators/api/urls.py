from django.urls import path

from generators.api.views import GeneratorViewSet, TenantViewSet

urlpatterns = [
    path("paks", TenantViewSet.as_view({"get": "list"})),
    path("generators", GeneratorViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "generators/<str:generator_id>",
        GeneratorViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("generators/<str:generator_id>/rotate-pak", GeneratorViewSet.as_view({"post": "rotate_pak"})),
]
