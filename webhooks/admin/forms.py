"""The form of a webhook. Encrypted values are never shown. If their field is left empty, they do not change."""

from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.urls import reverse

from agents.models import AgentTarget
from core.admin import ServiceForm
from core.admin.durations import DurationField
from core.admin.widgets import RowIdField
from webhooks.admin.preview import PREVIEW_ID
from webhooks.event_types import EVENT_TYPES
from webhooks.formats import Format
from webhooks.models import Subscription
from webhooks.models.subscription import MAX_PER_MINUTE, MAX_RETRIES, MAX_TIMEOUT_SECONDS
from webhooks.services.subscriptions import Filters, SubscriptionChanges

# The theme's classes have no types; they extend Django's classes.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminIntegerFieldWidget as _Integer
    from django.contrib.admin.widgets import AdminTextareaWidget as _Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput

    _Switch = forms.CheckboxInput
    _Radios = forms.RadioSelect
else:
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as _Integer
    from unfold.widgets import UnfoldAdminRadioSelectWidget as _Radios
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as _Switch

_SEALED = "Kept encrypted and never shown."
_KEPT = "Leave it empty to keep what there is."


def _types_by_prefix() -> str:
    """All event types for people: those with one prefix together, which is said once."""
    return "; ".join(
        f"{prefix}: {', '.join(each.removeprefix(f'{prefix}.') for each in types)}"
        for prefix, types in groupby(sorted(EVENT_TYPES), key=lambda each: each.partition(".")[0])
    )


class SubscriptionForm(ServiceForm):
    url = forms.CharField(
        label="URL", required=False, widget=_TextInput(attrs={"autocomplete": "off"}), help_text=_SEALED
    )
    auth_header = forms.CharField(
        label="Authorization header",
        required=False,
        widget=_TextInput(attrs={"autocomplete": "off"}),
        help_text=f"Its whole value, like Bearer and a token. {_SEALED}",
    )
    no_auth_header = forms.BooleanField(
        label="Send no Authorization header", required=False, widget=_Switch()
    )
    event_types = forms.CharField(
        widget=_Textarea(attrs={"rows": 4}),
        help_text="One a line: * for all, deployment.* for all of deployments, or one, like deployment.failed. "
        f"There are {_types_by_prefix()}.",
    )
    # Deleted ones too, because the receiver may wait for the notice of the deletion.
    stack_id = RowIdField(
        label="Only of the stack",
        required=False,
        help_text="Empty: the events of all stacks.",
        refers=AgentTarget._meta.get_field("stack"),
    )
    agent_id = RowIdField(
        label="Only of the agent",
        required=False,
        help_text="Empty: the events of all agents.",
        refers=AgentTarget._meta.get_field("agent"),
    )
    target_labels = forms.CharField(
        label="Delivered by agents with the labels",
        required=False,
        widget=_Textarea(attrs={"rows": 3}),
        help_text="One a line; an agent that carries all of them delivers. Without any, the broker does.",
    )
    format = forms.ChoiceField(
        choices=[
            (Format.STANDARD.value, "standard: the event, for programs"),
            (Format.SLACK.value, "slack: a message for an incoming webhook of Slack"),
            (Format.TEAMS.value, "teams: a card for a workflow of Microsoft Teams"),
            (Format.PLAIN.value, "plain: a message in plain text"),
        ],
        initial=Format.STANDARD.value,
        required=False,
        widget=_Radios(),
        help_text="Below is what an event looks like in it. Once the webhook is saved, its button Test sends one.",
    )
    max_retries = forms.IntegerField(
        label="Attempts",
        initial=5,
        min_value=0,
        max_value=MAX_RETRIES,
        widget=_Integer(),
        help_text="In all. 0 and 1 both mean one.",
    )
    timeout_seconds = DurationField(
        label="Timeout", least=1, most=MAX_TIMEOUT_SECONDS, initial=30, help_text="For the whole request."
    )
    max_deliveries_per_minute = forms.IntegerField(
        label="Deliveries a minute",
        required=False,
        min_value=1,
        max_value=MAX_PER_MINUTE,
        widget=_Integer(),
        help_text="At most. What is more arrives as one summary. Leave it empty for no limit.",
    )

    class Meta:
        model = Subscription
        fields = ("name", "enabled", "format", "max_retries", "timeout_seconds", "max_deliveries_per_minute")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        row = kwargs.get("instance")
        if row is not None and not row._state.adding:
            kwargs["initial"] = {
                "event_types": "\n".join(row.event_types),
                "target_labels": "\n".join(row.target_labels or []),
                "stack_id": row.filter_stack_id,
                "agent_id": row.filter_agent_id,
                **(kwargs.get("initial") or {}),
            }
        super().__init__(*args, **kwargs)
        if row is not None:
            for name, kept in (("stack_id", row.filter_stack_id), ("agent_id", row.filter_agent_id)):
                field: Any = self.fields[name]
                field.keep(kept)
        if "format" in self.fields:
            self.fields["format"].widget.attrs |= {
                "hx-get": reverse("admin:webhooks_subscription_preview"),
                "hx-target": f"#{PREVIEW_ID}",
                "hx-trigger": "change",
            }
        is_new = row is None or row._state.adding
        self.fields["url"].required = is_new
        if not is_new:
            for name in ("url", "auth_header"):
                self.fields[name].help_text = f"{self.fields[name].help_text} {_KEPT}"

    def clean(self) -> dict[str, Any] | None:
        values = super().clean()
        given = self.cleaned_data
        keeps_header = not given.get("auth_header") and not given.get("no_auth_header")
        if given.get("url") and self.instance.auth_header_sealed and keeps_header:
            # Otherwise a user who may change the URL could send the header to their own server and read it there.
            self.add_error(
                "auth_header",
                "The header goes to the new URL only if it is given again, or is to be sent no more.",
            )
        return values

    def clean_format(self) -> str:
        return self.cleaned_data["format"] or str(self.instance.format)

    def clean_event_types(self) -> list[str]:
        return _lines(self.cleaned_data["event_types"])

    def clean_target_labels(self) -> list[str]:
        return _lines(self.cleaned_data["target_labels"])


def changes_of(values: dict[str, Any]) -> SubscriptionChanges:
    """The argument of the services, made from some or all values of the form."""
    names = (*SubscriptionForm.Meta.fields, "event_types", "target_labels")
    changes: dict[str, Any] = {name: values[name] for name in names if name in values}
    changes |= {name: values[name] for name in ("url", "auth_header") if values.get(name)}
    if values.get("no_auth_header"):
        changes["auth_header"] = None
    if {"stack_id", "agent_id"} & values.keys():
        changes["filters"] = Filters(stack_id=values.get("stack_id"), agent_id=values.get("agent_id"))
    return cast(SubscriptionChanges, changes)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
