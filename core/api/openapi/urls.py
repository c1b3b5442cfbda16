"""The API's document, and a page to read it and try it out."""

from django.urls import path
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path(
        "docs/openapi.json",
        SpectacularAPIView.as_view(renderer_classes=[OpenApiJsonRenderer]),
        name="openapi",
    ),
    # Not the page with a script in it: this one works under a strict Content-Security-Policy.
    path("swagger-ui", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="swagger-ui"),
    path("swagger-ui/", SpectacularSwaggerSplitView.as_view(url_name="openapi")),
]
