"""The page that gives a key another end."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.admin import BaseAdmin, admin_actor, register_page
from core.admin.widgets import MomentFormField
from core.errors import DomainError
from core.request_context import context_of
from paks.models import Pak
from paks.services import set_expiry


class EndForm(forms.Form):
    expires_at = MomentFormField(
        label="Ends",
        help_text="In UTC. Empty: the key has no end of its own. A key that has been replaced ends with its overlap.",
    )


def end_page(request: HttpRequest, admin: BaseAdmin, pak: Pak) -> HttpResponse:
    """The form, for a key that still works."""
    form = EndForm(request.POST if request.method == "POST" else None, initial={"expires_at": pak.expires_at})
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


register_page(Pak, "end", "End", end_page, "paks.change_pak", is_for=lambda key: key.is_usable)
