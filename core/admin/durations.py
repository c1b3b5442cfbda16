"""Lengths of time as people read and type them: "5 min", "1 d 12 h". Everywhere else they are numbers of seconds."""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

# The theme's class carries no types; it extends Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
# A unit may also be written out, or as its first letter.
_PART = re.compile(
    r"([0-9]{1,10})\s*(d|days?|h|hours?|m|min|minutes?|s|sec|seconds?)?(?![a-z])\s*", re.IGNORECASE
)
_EXAMPLES = "such as 30 s, 5 min or 1 d 12 h"


def duration(seconds: int) -> str:
    """In the largest units, such as "1 d 12 h"."""
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def seconds_of(text: str) -> int | None:
    """What `duration` or a person wrote, in seconds; a number alone is one of seconds. None for anything else."""
    sizes = {unit[0]: size for unit, size in _UNITS}
    total = position = 0
    while part := _PART.match(text, position):
        count, unit = part.groups()
        if unit is None and part.group() != text:
            return None
        total += int(count) * (sizes[unit[0].lower()] if unit else 1)
        position = part.end()
    return total if position and position == len(text) else None


class DurationField(forms.Field):
    """A length of time, shown and typed in words. Its value is in seconds, from `least` to `most`; None for nothing."""

    def __init__(
        self,
        *,
        label: str,
        least: int,
        most: int,
        initial: int | None = None,
        required: bool = True,
        help_text: str = "",
    ) -> None:
        super().__init__(
            label=label,
            initial=initial,
            required=required,
            widget=_TextInput(),
            help_text=f"{help_text} {_EXAMPLES.capitalize()}.".lstrip(),
        )
        self._least, self._most = least, most

    def prepare_value(self, value: Any) -> Any:
        return duration(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        seconds = seconds_of(text)
        if text and seconds is None:
            raise ValidationError(f"Say how long, {_EXAMPLES}.")
        return seconds

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not self._least <= value <= self._most:
            raise ValidationError(f"It is {duration(self._least)} to {duration(self._most)}.")
