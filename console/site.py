"""The admin site: the control room is its first page."""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path
from django.utils.cache import add_never_cache_headers

from console.user_events import note_login, note_logout, note_password_change
from core.admin import admin_actor

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as _AdminSite
else:
    from unfold.sites import UnfoldAdminSite as _AdminSite


class ControlRoom(_AdminSite):
    index_title = "Control room"
    index_template = "console/dashboard.html"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # As in `index`.
        from rollouts.admin.freezes import shown_freezes  # noqa: PLC0415

        # The theme would write its colours into every page; they are in core/theme.css. Of the freezes the page asks.
        return {**super().each_context(request), "colors": None, "holding_freezes": shown_freezes}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        deployments = path("deployments/", self.admin_view(self.deployments), name="deployments")
        resources = path("resources/", self.admin_view(self.resources), name="resources")
        installation = path("installation/", self.admin_view(self.installation), name="installation")
        # Not `admin_view`, which would answer with the form for logging in, and that would be put into the page.
        room = path("room/", self.room, name="room")
        return [deployments, resources, installation, room, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # The admin's modules register with this site, so it cannot import them at its top.
        from console.admin.dashboard import dashboard_context  # noqa: PLC0415

        return super().index(request, {**dashboard_context(request), **(extra_context or {})})

    def room(self, request: HttpRequest) -> HttpResponse:
        """What the control room shows, for the page to put in place of what it has."""
        from console.admin.dashboard import dashboard_context  # noqa: PLC0415  # as above

        if not self.has_permission(request):
            return HttpResponse(status=403)
        response = render(request, "console/room.html", dashboard_context(request))
        add_never_cache_headers(response)
        return response

    def deployments(self, request: HttpRequest) -> HttpResponse:
        from console.admin.dashboard import deployments_view  # noqa: PLC0415  # as above

        return deployments_view(request, self.each_context(request))

    def resources(self, request: HttpRequest) -> HttpResponse:
        from inventory.admin import resources_view  # noqa: PLC0415  # as above

        return resources_view(request, self.each_context(request))

    def installation(self, request: HttpRequest) -> HttpResponse:
        from config.admin import installation_view  # noqa: PLC0415  # as above

        return installation_view(request, self.each_context(request))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002  # the theme's signature
        from console.admin.search import search_view  # noqa: PLC0415  # as above

        return search_view(request)

    # Logins are audited here. Django's signals are also sent for sessions that nobody logged in to.
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # No transaction, because checking a password takes long and failures must stay counted.
        response = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            note_login(username=request.user.get_username(), actor=admin_actor(request))
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST" or not request.user.is_authenticated:
            return super().logout(request, extra_context)
        with transaction.atomic():
            note_logout(username=request.user.get_username(), actor=admin_actor(request))
            return super().logout(request, extra_context)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().password_change(request, extra_context)
        # The form redirects only after it has changed the password.
        if request.method == "POST" and response.status_code == 302:
            note_password_change(username=request.user.get_username(), actor=admin_actor(request))
        return response
