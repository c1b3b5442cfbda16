"""Form controls that the theme and Django offer for model forms only."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import DateTimeField, DateTimeInput, ModelChoiceField
from unfold.widgets import INPUT_CLASSES

# The theme's classes carry no types and extend Django's; some of Django's take a parameter for the type checker only.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AutocompleteSelect as _AutocompleteSelect

    _ModelChoiceField = ModelChoiceField[Any]
else:
    from django.contrib.admin.widgets import AutocompleteMixin
    from unfold.widgets import UnfoldAdminAutocompleteModelChoiceFieldWidget

    _ModelChoiceField = ModelChoiceField

    class _AutocompleteSelect(AutocompleteMixin, UnfoldAdminAutocompleteModelChoiceFieldWidget):
        pass


class MomentInput(DateTimeInput):
    """The browser's own control for a date and a time, to the second."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES), "step": 1}, format="%Y-%m-%dT%H:%M:%S")


class MomentFormField(DateTimeField):
    """A moment in UTC, or none unless it is required."""

    widget = MomentInput

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, **kwargs)


class RowSelect(_AutocompleteSelect):
    """Chooses a row of a large table by typing a part of its name. Built for a foreign key of a model."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        # A value that cannot be a key is the field's error. Looking up its row would raise an error of the page.
        return super().optgroups(name, [each for each in value if self._is_key(each)], attr)

    def _is_key(self, value: str) -> bool:
        key = self.field.remote_field.model._meta.pk
        try:
            key.to_python(value)
        except ValidationError:
            return False
        return True


class KeptRowSelect(RowSelect):
    kept: UUID | None = None

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        groups = super().optgroups(name, value, attr)
        options = groups[0][1]
        shown = {str(option["value"]) for option in options}
        if self.kept is not None and str(self.kept) in value and str(self.kept) not in shown:
            label = f"{self.kept} (unknown)"
            options.append(self.create_option(name, str(self.kept), label, True, len(options)))
        return groups


class RowIdField(_ModelChoiceField):
    """Chooses a row by its name and gives its id. A stored id may stay, even when its row is deleted or gone.

    `refers` is a model's field that refers to rows of the same kind: who may choose rows for it may choose here.
    Deleted rows may be chosen too.
    """

    widget: KeptRowSelect

    def __init__(self, *, refers: Any, **kwargs: Any) -> None:
        rows = refers.remote_field.model._default_manager.all()
        super().__init__(queryset=rows, widget=KeptRowSelect(refers, admin.site), **kwargs)

    def keep(self, row_id: UUID | None) -> None:
        """Accept this id too, and show the id itself when no row has it."""
        self.widget.kept = row_id

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} (deleted)" if obj.deleted_at is not None else str(obj)

    def clean(self, value: Any) -> UUID | None:
        kept = self.widget.kept
        if kept is not None and str(value) == str(kept):
            return kept
        row = super().clean(value)
        return None if row is None else row.pk
