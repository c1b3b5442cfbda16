"""Middleware: an id, one log line and two metrics for every request.

Calls of the API pass by what only pages need, because a dozen small steps cost as much as the answer to a call.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from core.content_security import ContentSecurityMiddleware
from core.observation import note_request, request_id_of
from core.request_context import RequestContext, attach_context

logger = logging.getLogger(__name__)

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What says how to read a body, which these answers do not have.
_WITHOUT_BODY = {204, 304}
_OF_BODIES = (
    "Content-Type",
    "Content-Length",
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
)


class RequestMiddleware:
    """Outermost, so that it sees what the client sees."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        # Not request.headers, which reads all of META to find one header.
        request_id = request_id_of(request.META.get("HTTP_X_REQUEST_ID", ""))
        context = RequestContext(request_id)
        attach_context(request, context)
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id
        if response.status_code in _WITHOUT_BODY:
            for name in _OF_BODIES:
                response.headers.pop(name, None)
        note_request(
            request_id=request_id,
            caller=context.caller,
            method=request.method or "",
            endpoint=endpoint_of(request),
            status=response.status_code,
            seconds=time.perf_counter() - started,
            traceparent=request.META.get("HTTP_TRACEPARENT", ""),
        )
        return response


class _ForPages:
    """Makes a middleware do nothing for the API, so that its calls stay cheap."""

    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_api(request) else super().__call__(request)  # type: ignore[misc]


class PageStaticFilesMiddleware(_ForPages, WhiteNoiseMiddleware):  # type: ignore[misc]
    pass


class PageTransportMiddleware(_ForPages, SecurityMiddleware):
    pass


class HostMiddleware(CommonMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        if not is_api(request):
            return super().__call__(request)
        # Raises DisallowedHost.
        request.get_host()
        return self.get_response(request)


class PageFrameMiddleware(_ForPages, XFrameOptionsMiddleware):
    pass


class PageForgeryMiddleware(_ForPages, CsrfViewMiddleware):
    def process_view(self, request: HttpRequest, *view: Any) -> Any:
        # Browsers send no key of the API by themselves.
        return None if is_api(request) else super().process_view(request, *view)


class PageSessionMiddleware(_ForPages, SessionMiddleware):
    pass


class PageAuthenticationMiddleware(_ForPages, AuthenticationMiddleware):
    pass


class PageMessageMiddleware(_ForPages, MessageMiddleware):
    pass


class PageSecurityPolicyMiddleware(_ForPages, ContentSecurityMiddleware):
    pass


class ApiMiddleware:
    """Gives answers of the API, in one step, the headers that several middleware give pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._headers = {
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_api(request):
            for name, value in self._headers.items():
                response.headers[name] = value
            if not response.streaming:
                response.headers["Content-Length"] = str(len(response.content))
        return response


class OriginMiddleware(CorsMiddleware):
    """Asks who may read an answer only if a page of another origin may have sent the request."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META or request.method == "OPTIONS" or not is_api(request):
            return super().__call__(request)
        response: Any = self.get_response(request)
        # An answer to a page of another origin may differ.
        patch_vary_headers(response, ("origin",))
        return response


def is_api(request: HttpRequest) -> bool:
    """Whether the request is for the API rather than for a page."""
    return request.path.startswith("/api/")


def endpoint_of(request: HttpRequest) -> str:
    """The route with its ids as `:id`. Paths without a route share one name, so scanners cannot fill the metrics."""
    return _endpoint(request.resolver_match)


# Bounded, because clients choose the paths.
@lru_cache(maxsize=1024)
def endpoint_at(path: str) -> str:
    """The same for a path, with anything in place of ids, that no request object was made for."""
    try:
        return _endpoint(resolve(path))
    except Resolver404:
        return "unmatched"


def _endpoint(match: ResolverMatch | None) -> str:
    if match is None or match.url_name == "route-not-found":
        return "unmatched"
    return _named(match.route)


# Cached, because every request asks and the number of routes is fixed.
@cache
def _named(route: str) -> str:
    return "/" + _PARAMETER.sub(lambda found: ":id" if found[1].endswith("_id") else f":{found[1]}", route)


def is_behind_unknown_proxy(meta: Mapping[str, Any], trusted_proxies: int) -> bool:
    """Whether something forwarded the request, and no setting says that it is a proxy of ours.

    `meta` is the request's WSGI environment.
    """
    return not trusted_proxies and "HTTP_X_FORWARDED_FOR" in meta


@cache
def _warn_of_proxy() -> None:
    # Cached, so that each process says it once.
    logger.warning(
        "requests come with X-Forwarded-For, but BROKKR_TRUSTED_PROXY_COUNT is 0: every client behind the proxy "
        "counts as the proxy's address"
    )


def client_address(meta: Mapping[str, Any], trusted_proxies: int) -> str | None:
    """The client's address: the peer, or what the outermost of our own proxies saw.

    Only the last `trusted_proxies` entries of X-Forwarded-For were written by proxies of ours; a client may
    have invented the others. `meta` is the request's WSGI environment.
    """
    if is_behind_unknown_proxy(meta, trusted_proxies):
        _warn_of_proxy()
    if trusted_proxies:
        forwarded: str = meta.get("HTTP_X_FORWARDED_FOR", "")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            return hops[-trusted_proxies]
    peer: str | None = meta.get("REMOTE_ADDR") or None
    return peer
