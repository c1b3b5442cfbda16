"""The bases of the pages that only read."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from core.admin.base import BaseAdmin


class ReadOnlyAdmin(BaseAdmin):
    """Pages that never change anything, whatever is sent to them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OverviewAdmin(ReadOnlyAdmin):
    """The page of a row is no form but one of our own."""

    def overview(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The page of a row that the user may see."""
        raise NotImplementedError

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id is not None else None
        if object_id is not None and row is None:
            return self.gone(request)
        if row is None or request.method != "GET" or not self.has_view_permission(request, row):
            raise PermissionDenied
        return self.overview(request, row)
