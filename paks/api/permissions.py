"""Which roles may call. The apps' access rules decide which rows they may see. The default refuses everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import BasePermission

from core.errors import Forbidden, PermissionRefused
from paks.api.caller import caller
from paks.errors import AdminRequired, PakLimited
from paks.models import Role

if TYPE_CHECKING:
    # DRF's views module imports this module, named in a setting, before it is complete itself.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class DenyAll(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        raise PermissionRefused


class HasRole(BasePermission):
    """One of `roles`, else `refusal`. One class per rule, because composed permissions lose the code of the refusal.

    Where `takes_limits` is false, a key with limits is refused.
    """

    roles: ClassVar[frozenset[Role]]
    refusal: ClassVar[type[Forbidden]] = PermissionRefused
    takes_limits: ClassVar[bool] = True

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = caller(request)
        if principal.role not in self.roles:
            raise self.refusal
        if principal.limits is not None and not self.takes_limits:
            raise PakLimited
        return True


class AnyCaller(HasRole):
    roles = frozenset(Role)


class IsAdmin(HasRole):
    roles = frozenset({Role.ADMIN})
    refusal = AdminRequired
