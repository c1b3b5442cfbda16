"""The search over all stacks: which clusters run an image, and who has a resource."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.admin import badge, link
from core.admin.chips import Chip, chip
from inventory.admin.contents import PERMISSION
from inventory.holders import Holders, holders_of
from inventory.models import Entry, UnreadVersion
from inventory.search import Search, found, is_complete

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import CheckboxInput as _Switch
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as _Switch

# More rows are not shown; the search can be made narrower.
SHOWN = 100
# At most this many versions that cannot be read are listed.
_UNREAD = 50
_MAX_LENGTH = 512


def _text(label: str, placeholder: str) -> forms.CharField:
    widget = _TextInput(attrs={"placeholder": placeholder, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=_MAX_LENGTH, widget=widget)


class SearchForm(forms.Form):
    image = _text("Image", "ghcr.io/acme/web:1.*")
    kind = _text("Kind", "Deployment")
    namespace = _text("Namespace", "payments")
    name = _text("Name", "api*")
    history = forms.BooleanField(
        label="Older versions and deleted stacks too", required=False, widget=_Switch()
    )

    def search(self) -> Search | None:
        """What a valid form looks for; None if it names nothing."""
        named = {name: self.cleaned_data[name] for name in ("image", "kind", "namespace", "name")}
        return Search(**named, is_history=self.cleaned_data["history"]) if any(named.values()) else None


def resources_view(request: HttpRequest, site_context: dict[str, Any]) -> HttpResponse:
    """The page; the query string holds the search."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = SearchForm(request.GET or None)
    search = form.search() if form.is_bound and form.is_valid() else None
    unread = UnreadVersion.objects.select_related("version__stack").defer("version__yaml_content")
    listed = list(unread.order_by("-version_id")[: _UNREAD + 1])
    context = {
        **site_context,
        "title": "Resources and images",
        "form": form,
        "is_complete": is_complete(),
        "unread": [
            {
                "version": link("stacks_deploymentobject_change", row.version, row.version_id),
                "stack": link("stacks_stack_change", row.version.stack.name, row.version.stack_id),
                "problem": row.problem,
            }
            for row in listed[:_UNREAD]
        ],
        "more_unread": len(listed) > _UNREAD,
        "search": search,
        "chips": _chips(request, form) if search is not None else [],
        **(_results(search) if search is not None else {}),
    }
    return TemplateResponse(request, "inventory/admin/resources.html", context)


def _chips(request: HttpRequest, form: SearchForm) -> list[Chip]:
    return [
        chip(request.GET, str(form.fields[name].label).lower(), value if value is not True else "yes", [name])
        for name, value in form.cleaned_data.items()
        if value
    ]


def _results(search: Search) -> dict[str, Any]:
    rows = found(search).select_related("resource", "image", "stack", "version")
    entries = list(rows.defer("version__yaml_content").order_by("-version_id", "-id")[: SHOWN + 1])
    shown = entries[:SHOWN]
    holders = holders_of({(entry.stack_id, entry.version_id) for entry in shown})
    groups: dict[int, dict[str, Any]] = {}
    for entry in shown:
        group = groups.setdefault(entry.version_id, _group(entry, holders.get(entry.version_id, Holders())))
        group["entries"].append(entry)
    return {"groups": list(groups.values()), "is_capped": len(entries) > SHOWN, "shown": SHOWN}


def _group(entry: Entry, holders: Holders) -> dict[str, Any]:
    """One version with its agents; the entries that were found in it come later."""
    agents = [
        {
            "link": link("agents_agent_change", f"{holder.name} ({holder.cluster_name})", holder.agent_id),
            "badge": _standing(should=holder.should_have, said=holder.has_said),
        }
        for holder in holders.first
    ]
    return {
        "stack": link("stacks_stack_change", entry.stack.name, entry.stack_id),
        "version": link("stacks_deploymentobject_change", entry.version, entry.version_id),
        "is_deleted": entry.stack.deleted_at is not None,
        "holders": holders,
        "agents": agents,
        "entries": [],
    }


def _standing(*, should: bool, said: bool) -> str:
    if should:
        return badge("has it", "good") if said else badge("should have it", "wait")
    return badge("still has it", "bad")
