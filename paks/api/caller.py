"""Typed access to the caller of a request."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
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
    return author_of(caller(request), request.META, context_of(request._request).request_id)


def recognised_caller(request: HttpRequest) -> Principal | None:
    """Whom the API recognised, outside of its views; None for nobody."""
    # DRF leaves it on Django's request.
    principal: object = getattr(request, "auth", None)
    return principal if isinstance(principal, Principal) else None


def author_of(principal: Principal, meta: Mapping[str, Any], request_id: str) -> Actor:
    """The caller as the author of what a request did, with the place it came from.

    `meta` is the request's WSGI environment.
    """
    return Actor(
        type=ActorType(principal.role.value),
        id=principal.subject_id,
        key_id=principal.key_id,
        label=principal.key_name,
        ip_address=client_address(meta, settings.TRUSTED_PROXY_COUNT),
        user_agent=meta.get("HTTP_USER_AGENT"),
        request_id=request_id,
    )
