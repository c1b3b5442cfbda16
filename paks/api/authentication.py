"""Turns the Authorization header into a caller."""

from django.conf import settings
from django.core.cache import cache
from django.utils.encoding import escape_uri_path
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.errors import Unauthorized
from core.events import Actor, Event, emit
from core.middleware import client_address
from core.request_context import context_of
from paks.actors import ActorType
from paks.callers import principal_for
from paks.event_kinds import PakEventKind
from paks.principals import Principal

# One audit row per address and minute is enough to show guessing; a row per guess would fill the disk.
_FAILURE_SILENCE_SECONDS = 60


class PakAuthentication(BaseAuthentication):
    """`Authorization: <pak>` or `Authorization: Bearer <pak>`. Raises Unauthorized for an invalid key."""

    def authenticate(self, request: Request) -> tuple[None, Principal] | None:
        # Not request.headers, which reads all of META to find one header.
        key = presented_key(request.META.get("HTTP_AUTHORIZATION", ""))
        if not key:
            return None
        context = context_of(request._request)
        principal = principal_for(
            key, lambda: client_address(request.META, settings.TRUSTED_PROXY_COUNT), context.asked
        )
        if principal is None:
            _tell_failure(request)
            raise Unauthorized
        context.caller = str(principal)
        return None, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="brokkr"'


def presented_key(header: str) -> str:
    """The key in an Authorization header, with or without `Bearer`; empty when there is none."""
    header = header.strip()
    return header[len("Bearer ") :].strip() if header[:7].lower() == "bearer " else header


def _tell_failure(request: Request) -> None:
    address = client_address(request.META, settings.TRUSTED_PROXY_COUNT)
    if not cache.add(f"auth-failed:{address}", 1, _FAILURE_SILENCE_SECONDS):
        return
    actor = Actor(
        type=ActorType.SYSTEM,
        ip_address=address,
        user_agent=request.headers.get("User-Agent"),
        request_id=context_of(request._request).request_id,
    )
    # Escaped, because a path may hold characters that JSON in the database cannot, such as NUL.
    path = escape_uri_path(request.path.removeprefix("/api/v1"))
    emit(
        Event(
            kind=PakEventKind.AUTH_FAILED,
            resource_type="system",
            resource_id=None,
            actor=actor,
            details={"reason": "invalid_pak", "path": path},
        )
    )
