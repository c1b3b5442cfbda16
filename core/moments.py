"""Columns that hold the moment at which their row was made."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from core import clock

# Django's class takes its types only while they are checked.
if TYPE_CHECKING:
    _DateTimeField = models.DateTimeField[datetime, datetime]
else:
    _DateTimeField = models.DateTimeField


class MomentField(_DateTimeField):
    """A time that is the present one by the database's clock, unless another is given.

    Migrations see an ordinary column with Django's own default: in the database the two are the same.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default": clock.now} | options)

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", arguments, options | {"default": timezone.now}
