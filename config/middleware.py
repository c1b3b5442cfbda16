"""How web processes notice changed settings."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.watcher import watcher


class ReloadMiddleware:
    """Looks for changed settings at each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        watcher.look()
        return self.get_response(request)
