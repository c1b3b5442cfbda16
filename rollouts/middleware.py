"""`X-Brokkr-Override-Freeze`: an admin's key does what a freeze refuses, for the reason that the header gives."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.middleware import is_api
from rollouts.services.frozen_writes import overriding_freezes


class FreezeOverrideMiddleware:
    """Only for the API: on pages the header would let people override who may not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not request.headers, which reads all of META to find one header.
        reason = request.META.get("HTTP_X_BROKKR_OVERRIDE_FREEZE")
        if reason is None or not is_api(request):
            return self.get_response(request)
        with overriding_freezes(_as_written(reason)):
            return self.get_response(request)


def _as_written(reason: str) -> str:
    """The reason in the letters of who wrote it. WSGI reads each byte as a character, and most clients send UTF-8."""
    try:
        return reason.encode("latin-1").decode()
    except UnicodeError:
        return reason
