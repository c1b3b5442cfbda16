"""The root: the API, the admin, the documents about the API, and the probes."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from core.api import errors, probes

urlpatterns = [
    path("api/v1/", include("brokkr_site.api_urls")),
    re_path(r"^api/", errors.route_not_found, name="route-not-found"),
    # Where agents would open a WebSocket. They take a 404 for "poll instead", and go on trying, so it is answered here.
    re_path(r"^internal/", errors.route_not_found),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("core.api.openapi.urls")),
    path("healthz", probes.live),
    path("health/live", probes.live),
    path("health/ready", probes.ready),
    path("readyz", probes.ready),
    path("health", probes.health),
    path("metrics", probes.metrics),
]

handler400 = errors.handler400
handler500 = errors.handler500
