"""Everything under /api/v1: the only list of the apps that serve it, besides INSTALLED_APPS."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from core.api.errors import route_not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("stacks.api.urls")),
    path("", include("agents.api.urls")),
    path("", include("sync.api.urls")),
    path("", include("workorders.api.urls")),
    path("", include("diagnostics.api.urls")),
    path("", include("webhooks.api.urls")),
    path("", include("paks.api.urls")),
    path("", include("generators.api.urls")),
    path("", include("templates_app.api.urls")),
    path("", include("health.api.urls")),
    path("", include("rollouts.api.urls")),
    path("", include("inventory.api.urls")),
    path("", include("telemetry.api.urls")),
    path("", include("audit.api.urls")),
    path("", include("config.api.urls")),
    path("", include("fleet.api.urls")),
    path("", include("plans.api.urls")),
    path("", include("history.api.urls")),
    re_path(r"^", route_not_found, name="route-not-found"),
]
