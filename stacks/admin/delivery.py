"""How a version is to reach the fleet: a part of the pages that publish, which a higher app fills."""

from collections.abc import Callable

from django import forms
from django.http import HttpRequest

from stacks.models import Stack
from stacks.services import PublishOptions


class DeliveryForm(forms.Form):
    """What to choose, and in `plan` what will happen if nothing is chosen, in sentences."""

    plan: list[str]

    def options(self) -> PublishOptions:
        """What a valid form says."""
        raise NotImplementedError


# Takes the request, the stack, whether the form was sent, and whether it asks why itself.
_Make = Callable[[HttpRequest, Stack, bool, bool], DeliveryForm]
_makers: list[_Make] = []


def register_delivery_form(make: _Make) -> None:
    """Put the form on the pages that publish. Called in `<app>/admin`."""
    _makers.append(make)


def delivery_form(
    request: HttpRequest, stack: Stack, *, is_sent: bool, asks_reason: bool
) -> DeliveryForm | None:
    """The form; None when no app above has one."""
    return next((make(request, stack, is_sent, asks_reason) for make in _makers), None)
