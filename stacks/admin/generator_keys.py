"""The page of a generator's keys, with the form that makes one with limits."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from core.admin import BaseAdmin, admin_actor, register_page
from core.admin.widgets import MomentFormField
from core.errors import DomainError
from core.request_context import context_of
from core.validators import MAX_NAME
from generators.models import Generator
from generators.services import lock_generator
from paks.admin.owned import keys_of_owner
from paks.models import Role
from stacks.key_limits import issue_generator_key
from stacks.models import Stack

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextareaWidget as _Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

ISSUE_PERMISSION = "paks.add_pak"


class LimitedKeyForm(forms.Form):
    """`stacks`, when the form is valid, are ids."""

    name = forms.CharField(
        max_length=MAX_NAME, widget=_TextInput(), help_text="Who or what will hold the key. It is shown once."
    )
    stacks = forms.CharField(
        label="Only the stacks",
        required=False,
        widget=_Textarea(attrs={"rows": 3}),
        help_text="Their names, one a line.",
    )
    labels = forms.CharField(
        label="Only stacks with one of the labels",
        required=False,
        widget=_Textarea(attrs={"rows": 2}),
        help_text="One a line. Stacks that get such a label later count too.",
    )
    expires_at = MomentFormField(label="Ends", help_text="In UTC. Empty: it has no end.")

    def __init__(self, generator: Generator, data: Any = None) -> None:
        super().__init__(data)
        self._generator = generator

    def clean_stacks(self) -> list[Any]:
        names = _lines(self.cleaned_data["stacks"])
        owned = Stack.objects.active().owned_by(self._generator.pk).filter(name__in=names)
        ids = dict(owned.values_list("name", "pk"))
        if unknown := [name for name in names if name not in ids]:
            raise forms.ValidationError(f"The generator has no stack named {unknown[0]}.")
        return list(ids.values())

    def clean_labels(self) -> list[str]:
        return _lines(self.cleaned_data["labels"])

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or {}
        if not self.errors and not values["stacks"] and not values["labels"]:
            # What is meant to be limited must not become a key without limits.
            self.add_error("stacks", "Name a stack or a label. A key without limits comes with a rotation.")
        return values


def keys_page(request: HttpRequest, admin: BaseAdmin, generator: Generator) -> HttpResponse:
    """The keys that work and, for who may make keys, the form of one with limits."""
    may_issue = request.user.has_perm(ISSUE_PERMISSION) and not generator.is_system
    may_issue = may_issue and generator.deleted_at is None
    form = LimitedKeyForm(generator, request.POST if request.method == "POST" else None)
    if request.method == "POST" and not may_issue:
        raise PermissionDenied
    if form.is_bound and form.is_valid():
        try:
            key = _issue(request, generator, form.cleaned_data)
        except DomainError as refusal:
            context_of(request).refusal = refusal
            form.add_error(None, refusal.text)
        else:
            return admin.show_key(request, generator, key)
    context = {"form": form if may_issue else None, **keys_of_owner(Role.GENERATOR, generator.pk)}
    return admin.render_page(request, generator, "stacks/admin/generator_keys.html", context)


@transaction.atomic
def _issue(request: HttpRequest, generator: Generator, values: dict[str, Any]) -> str:
    _, key = issue_generator_key(
        generator=lock_generator(generator.pk),
        name=values["name"],
        stack_ids=values["stacks"],
        labels=values["labels"],
        expires_at=values["expires_at"],
        actor=admin_actor(request),
    )
    return key


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


register_page(
    Generator,
    "keys",
    "Keys",
    keys_page,
    "paks.view_pak",
    is_for=lambda generator: not generator.is_system,
)
