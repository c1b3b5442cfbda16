"""Rows of other tables on a row's page."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from core.events import Actor
from core.request_context import context_of

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin import TabularInline
    from django.forms import BaseInlineFormSet

    _TabularInline = TabularInline[Any, Any]
    _InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    from unfold.admin import TabularInline as _TabularInline
    from unfold.forms import PaginationInlineFormSet as _InlineFormSet


class ServiceFormSet(_InlineFormSet):
    """Adds and removes rows by services. Rows are not changed in place."""

    def lock_others(self) -> None:
        """Lock what the changed rows refer to besides the page's own row."""

    def add_row(self, *, values: dict[str, Any], actor: Actor) -> None:
        raise NotImplementedError

    def remove_row(self, *, row: Any, actor: Actor) -> None:
        raise NotImplementedError

    def save_rows(self, *, actor: Actor) -> None:
        # Removals come first, so that one save can replace a row.
        for row in self.removed_rows():
            self.remove_row(row=row, actor=actor)
        for values in self.added_values():
            self.add_row(values=values, actor=actor)

    def changes_rows(self) -> bool:
        """Whether there is anything to add or to remove."""
        return bool(self.removed_rows() or self.added_values())

    def removed_rows(self) -> list[Any]:
        return [form.instance for form in self.deleted_forms if form in self.initial_forms]

    def added_values(self) -> list[dict[str, Any]]:
        return [
            form.cleaned_data
            for form in self.extra_forms
            if form.has_changed() and form not in self.deleted_forms
        ]


class ServiceInline(_TabularInline):
    """Rows of another table. Whoever may change the page's row may add and remove them."""

    formset = ServiceFormSet
    extra = 0
    hide_title = True
    # More rows than a person reads. Beyond them the formset shows one page.
    per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view") or self._may(request, "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        parent = self.parent_model._meta
        may = request.user.has_perm(f"{parent.app_label}.{verb}_{parent.model_name}")
        return may and not (verb == "change" and context_of(request).is_reading)
