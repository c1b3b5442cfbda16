"""Parts of pages that refresh by themselves: htmx asks for them every ten seconds."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from core.admin.base import BaseAdmin

# htmx stops asking when it is answered this.
STOP_POLLING = 286


def live_view(
    model_admin: BaseAdmin, permission: str, part: Callable[..., tuple[str, dict[str, Any], bool] | None]
) -> Callable[..., HttpResponse]:
    """A view of what `part` gives: a template, its context, and whether there is more to come; None for nothing.

    Who is not logged in any more is refused, not sent to the login page: its form would be put into the page.
    """

    @never_cache
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not model_admin.admin_site.has_permission(request) or not request.user.has_perm(permission):
            return HttpResponse(status=403)
        found = part(request, **kwargs)
        if found is None:
            return HttpResponse(status=404)
        template, context, goes_on = found
        return render(request, template, context, status=200 if goes_on else STOP_POLLING)

    return view
