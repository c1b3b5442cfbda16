"""The questions of the pages about the past. Times are in UTC."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from agents.errors import MomentNotKnown
from agents.models import Agent, AgentTarget
from agents.wanted.past import require_known
from core import clock
from core.admin.widgets import MomentFormField, RowSelect

# Django's class takes a parameter for the type checker only.
if TYPE_CHECKING:
    _Rows = forms.ModelChoiceField[Any]
else:
    _Rows = forms.ModelChoiceField


class SpanForm(forms.Form):
    since = MomentFormField(label="From (UTC)")
    until = MomentFormField(label="Until (UTC)")

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and since >= (until or clock.now()):
            self.add_error("since", "It must be earlier than the end, and not in the future.")
        return values


class ComparisonForm(forms.Form):
    at = MomentFormField(label="This agent at (UTC)", help_text="Empty: now.")
    other_at = MomentFormField(label="Compared with (UTC)", help_text="Empty: now.")
    other_agent = _Rows(
        required=False,
        queryset=Agent.objects.all(),
        widget=RowSelect(AgentTarget._meta.get_field("agent"), admin.site),
        label="Other agent",
        help_text="Empty: the same agent.",
    )

    def clean_at(self) -> datetime | None:
        return self._known("at")

    def clean_other_at(self) -> datetime | None:
        return self._known("other_at")

    def _known(self, name: str) -> datetime | None:
        at = cast("datetime | None", self.cleaned_data[name])
        if at is not None:
            try:
                require_known(at, now=clock.now())
            except MomentNotKnown as refusal:
                raise ValidationError(
                    "Known are moments from %(since)s until now.",
                    params={"since": refusal.details["known_since"]},
                ) from refusal
        return at
