"""Controls that the theme and Django have only for the forms of tables."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AutocompleteSelect as _AutocompleteSelect
else:
    from django.contrib.admin.widgets import AutocompleteMixin
    from unfold.widgets import UnfoldAdminAutocompleteWidget

    class _AutocompleteSelect(AutocompleteMixin, UnfoldAdminAutocompleteWidget):
        pass


class RowSelect(_AutocompleteSelect):
    """Chooses a row of a large table by typing a part of its name. Takes the key that a model's field is."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        # A value that cannot be a key is an error of the field; looking for its row would be one of the page.
        return super().optgroups(name, [each for each in value if self._is_key(each)], attr)

    def _is_key(self, value: str) -> bool:
        key = self.field.remote_field.model._meta.pk
        try:
            key.to_python(value)
        except ValidationError:
            return False
        return True
