"""The root: the API, the admin, the documents about the API, and the probes."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from brokkr_site.api_urls import urlpatterns as api_patterns
from core.api import errors, probes
from core.api.routes import WordResolver

# Not when Django starts, as it would by itself: commands need no pages.
admin.autodiscover()

urlpatterns = [
    WordResolver("api/v1/", api_patterns),
    re_path(r"^api/", errors.route_not_found, name="route-not-found"),
    # Agents try again and again to open a WebSocket here. A 404 makes them poll instead.
    re_path(r"^internal/", errors.route_not_found),
    path("", RedirectView.as_view(pattern_name="admin:index")),
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
