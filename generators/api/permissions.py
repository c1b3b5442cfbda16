from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

from generators.errors import GeneratorNotOwned
from paks.api.caller import caller
from paks.errors import PakLimited

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsAdminOrThisGenerator(BasePermission):
    """The generator in the path itself, or an admin; decided before it is known whether it exists.

    A key with limits only reads: what changes the generator reaches all of its stacks.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = caller(request)
        if not principal.is_admin and not principal.is_generator(view.kwargs["generator_id"]):
            raise GeneratorNotOwned
        if principal.limits is not None and request.method != "GET":
            raise PakLimited
        return True
