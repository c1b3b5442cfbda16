"""Which agents get a stack and why: now, and if its labels and annotations were changed."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from agents.admin.standing import agent_link, reason_words
from agents.admin.summary import status_badge
from agents.models import Agent
from agents.reasons import reasons_for_agents
from agents.wanted.ties import Offer, agents_for, tied_agents
from core.admin import BaseAdmin, ago, page_of, register_page
from core.validators import is_label
from stacks.models import Stack

# The theme's classes have no types; they extend Django's classes.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import Select as _Select
else:
    from unfold.widgets import UnfoldAdminSelectWidget as _Select
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput


class ChangeForm(forms.Form):
    """The labels and annotations that the user thinks of adding to the stack or removing from it."""

    add_label = forms.CharField(label="With the label", required=False, widget=_TextInput())
    remove_label = forms.ChoiceField(label="Without the label", required=False, widget=_Select())
    add_annotation = forms.CharField(
        label="With the annotation", required=False, widget=_TextInput(attrs={"placeholder": "key=value"})
    )
    remove_annotation = forms.ChoiceField(label="Without the annotation", required=False, widget=_Select())

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer = offer
        pairs = [f"{key}={value}" for key, value in sorted(offer.annotations)]
        for name, words in (("remove_label", sorted(offer.labels)), ("remove_annotation", pairs)):
            field: Any = self.fields[name]
            field.choices = [("", "-"), *((word, word) for word in words)]

    def clean_add_label(self) -> str:
        label = str(self.cleaned_data["add_label"])
        if label and not is_label(label):
            raise forms.ValidationError("A label has 1 to 64 characters and no white space.")
        return label

    def clean_add_annotation(self) -> tuple[str, str] | None:
        text = str(self.cleaned_data["add_annotation"])
        key, equals, value = text.partition("=")
        if text and not (equals and is_label(key) and is_label(value)):
            raise forms.ValidationError(
                "Write it as key=value, each of 1 to 64 characters without white space."
            )
        return (key, value) if text else None

    def changed(self) -> Offer:
        """The stack as it would be after the change. A new annotation replaces an old one with the same key."""
        values = self.cleaned_data
        labels = (self._offer.labels - {values["remove_label"]}) | ({values["add_label"]} - {""})
        kept = {pair for pair in self._offer.annotations if "=".join(pair) != values["remove_annotation"]}
        if (pair := values["add_annotation"]) is not None:
            kept = {other for other in kept if other[0] != pair[0]} | {pair}
        return replace(self._offer, labels=labels, annotations=frozenset(kept))


def recipients(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """One page of agents with their reasons. The query string holds `show`, which chooses the list, and the change."""
    offer = Offer.of(stack)
    form = ChangeForm(request.GET or None, offer=offer)
    changed = form.changed() if form.is_bound and form.is_valid() else offer
    lists = _lists(offer, changed)
    counts = {name: rows.count() for name, (_, rows, _) in lists.items()}
    default = "gain" if counts.get("gain") else "lose" if counts.get("lose") else "now"
    shown = request.GET.get("show", default)
    if shown not in lists:
        shown = default
    _, rows, of = lists[shown]
    page = page_of(request, rows.with_heartbeat().order_by("name", "cluster_name", "id"))
    reasons = reasons_for_agents(of, page.object_list)
    context = {
        "form": form,
        "is_preview": changed != offer,
        "lists": [(name, title, counts[name]) for name, (title, _, _) in lists.items()],
        "shown": shown,
        "page": page,
        "table": {
            "headers": ["Agent", "Status", "Last heartbeat", "Why"],
            "rows": [
                [
                    agent_link(agent),
                    status_badge(agent),
                    ago(agent.heartbeat.last_heartbeat) or "never seen",
                    reason_words(reasons.get(agent.pk, [])),
                ]
                for agent in page.object_list
            ],
        },
        "has_ties": bool(offer.labels or offer.annotations),
    }
    return model_admin.render_page(request, stack, "agents/admin/recipients.html", context)


def _lists(offer: Offer, changed: Offer) -> dict[str, tuple[str, Any, Offer]]:
    """Each list of agents that can be shown, with the offer that gives the reasons."""
    now: QuerySet[Agent] = agents_for(offer)
    found: dict[str, tuple[str, Any, Offer]] = {"now": ("Get it now", now, offer)}
    if settings.REQUIRE_REGISTRATION:
        found["held"] = ("Held back: not registered", _held_back(offer), offer)
    if changed != offer:
        then = agents_for(changed)
        found["gain"] = ("Would newly get it", then.exclude(pk__in=now.values("pk")), changed)
        found["lose"] = ("Would lose it", now.exclude(pk__in=then.values("pk")), offer)
        if settings.REQUIRE_REGISTRATION:
            found["held_then"] = ("Would be held back", _held_back(changed), changed)
    return found


def _held_back(offer: Offer) -> QuerySet[Agent]:
    return tied_agents(offer).exclude(pk__in=agents_for(offer).values("pk"))


register_page(Stack, "recipients", "Who gets this?", recipients, "agents.view_agent")
