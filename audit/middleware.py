"""Notes answers of 403 to admins and to people of the admin site."""

import logging
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest, HttpResponse

from audit.services.refusals import note_refusal
from core.admin import admin_actor
from core.database_errors import unavailable
from core.errors import Forbidden, PermissionRefused
from core.events import Actor
from core.middleware import endpoint_of, is_api
from core.request_context import context_of
from paks.api.caller import author_of, recognised_caller
from paks.models import Role

logger = logging.getLogger(__name__)

_FORBIDDEN = 403


class RefusedAttemptsMiddleware:
    """The refusal has undone what the request wrote, so the row has a transaction of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Pages answer a refusal with a message, and the status is another one.
        refusal = context_of(request).refusal
        if response.status_code != _FORBIDDEN and not isinstance(refusal, Forbidden):
            return response
        actor = _operator(request)
        if actor is not None:
            code = refusal.code if refusal is not None else PermissionRefused.code
            try:
                note_refusal(
                    actor=actor, method=request.method or "", endpoint=endpoint_of(request), code=code
                )
            except Error as error:
                # A database that cannot write it now is no reason to answer otherwise.
                if unavailable(error) is None:
                    raise
                logger.warning("a refused attempt was not noted: %s", error)
        return response


def _operator(request: HttpRequest) -> Actor | None:
    """The admin key or the user of the admin site that sent the request; None for all others."""
    if is_api(request):
        caller = recognised_caller(request)
        if caller is None or caller.role != Role.ADMIN:
            return None
        return author_of(caller, request.META, context_of(request).request_id)
    user = getattr(request, "user", None)
    return admin_actor(request) if user is not None and user.is_authenticated else None
