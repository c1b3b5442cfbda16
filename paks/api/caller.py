"""Typed access to the caller of a request."""

from django.conf import settings
from rest_framework.request import Request

from core.events import Actor
from core.middleware import client_address
from core.request_context import context_of
from paks.actors import ActorType
from paks.principals import Principal


def caller(request: Request) -> Principal:
    """The authenticated caller. DRF's type stubs declare `request.auth` as a token of another type."""
    principal: object = request.auth
    assert isinstance(principal, Principal)  # noqa: S101  # ResourceViewSet.initial has refused everybody else
    return principal


def actor_of(request: Request) -> Actor:
    """The caller as the author of a change, with the place it came from."""
    principal = caller(request)
    return Actor(
        type=ActorType(principal.role.value),
        id=principal.subject_id,
        key_id=principal.key_id,
        label=principal.key_name,
        ip_address=client_address(request._request, settings.TRUSTED_PROXY_COUNT),
        user_agent=request.headers.get("User-Agent"),
        request_id=context_of(request._request).request_id,
    )
