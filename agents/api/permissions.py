from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

from agents.errors import (
    AgentPakMismatch,
    GeneratorRequired,
    RegistrationForbidden,
    RegistrationsNotAuthorized,
)
from paks.api.caller import caller
from paks.api.permissions import HasRole
from paks.errors import AdminRequired
from paks.models import Role

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsAdminOrThisAgent(BasePermission):
    """Allows the agent in the path, or an admin. The check comes before the look-up of the agent."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = caller(request)
        if not principal.is_admin and not principal.is_agent(view.kwargs["agent_id"]):
            raise AgentPakMismatch
        return True


class IsThisAgent(BasePermission):
    """Allows only the agent in the path; not even an admin may act for it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not caller(request).is_agent(view.kwargs["agent_id"]):
            raise AgentPakMismatch
        return True


class MayListAgents(HasRole):
    roles = frozenset({Role.ADMIN, Role.GENERATOR})
    refusal = GeneratorRequired


class MayReadEvents(HasRole):
    roles = frozenset({Role.ADMIN, Role.AGENT})
    refusal = AdminRequired


class MayRegister(HasRole):
    roles = frozenset({Role.ADMIN, Role.AGENT})
    refusal = RegistrationForbidden


class MaySeeRegisteredAgents(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = caller(request)
        if not principal.is_admin and not principal.is_generator(view.kwargs["generator_id"]):
            raise RegistrationsNotAuthorized
        return True
