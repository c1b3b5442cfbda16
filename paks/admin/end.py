"""The page that gives a key another end."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.admin import BaseAdmin, admin_actor, register_page
from core.errors import DomainError
from core.request_context import context_of
from paks.models import Pak
from paks.services import set_expiry

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

# What browsers call the format of their own control for a date and a time.
_SHOWN = "%Y-%m-%dT%H:%M"


class EndForm(forms.Form):
    expires_at = forms.DateTimeField(
        label="Ends",
        required=False,
        widget=_TextInput(attrs={"type": "datetime-local"}),
        help_text="In UTC. Empty: the key has no end of its own. A key that has been replaced ends with its overlap.",
    )


def end_page(request: HttpRequest, admin: BaseAdmin, pak: Pak) -> HttpResponse:
    """The form, for a key that still works."""
    now_ends = f"{pak.expires_at:{_SHOWN}}" if pak.expires_at else None
    form = EndForm(request.POST if request.method == "POST" else None, initial={"expires_at": now_ends})
    if form.is_bound and form.is_valid():
        try:
            set_expiry(pak_id=pak.pk, expires_at=form.cleaned_data["expires_at"], actor=admin_actor(request))
        except DomainError as refusal:
            context_of(request).refusal = refusal
            form.add_error("expires_at", refusal.text)
        else:
            admin.message_user(request, "The key's end was changed.", messages.SUCCESS)
            return HttpResponseRedirect(admin.url_of(pak))
    return admin.render_page(request, pak, "paks/admin/end.html", {"form": form, "key": pak})


register_page(Pak, "end", "End", end_page, "paks.change_pak")
