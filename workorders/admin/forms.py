"""The form that makes a work order. Each label or annotation of its targeting is on its own line."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin

from agents.models import Agent
from core.admin import ServiceForm
from core.admin.durations import DurationField
from workorders.models import WorkOrder, WorkOrderTarget
from workorders.models.work_order import MAX_WORK_TYPE
from workorders.services.targeting import Targeting

# The theme's classes have no types; they extend Django's classes.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminIntegerFieldWidget as _Integer
    from django.contrib.admin.widgets import AdminTextareaWidget as _Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.contrib.admin.widgets import AutocompleteSelectMultiple as _Autocomplete

    _Agents = forms.ModelMultipleChoiceField[Agent]
else:
    from django.contrib.admin.widgets import AutocompleteMixin
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as _Integer
    from unfold.widgets import UnfoldAdminMultipleAutocompleteModelChoiceFieldWidget
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

    _Agents = forms.ModelMultipleChoiceField

    class _Autocomplete(AutocompleteMixin, UnfoldAdminMultipleAutocompleteModelChoiceFieldWidget):
        pass


_MAX = 2**31 - 1


class WorkOrderForm(ServiceForm):
    work_type = forms.CharField(
        max_length=MAX_WORK_TYPE, widget=_TextInput(), help_text="Agents know build and custom."
    )
    # Not stripped, because the indentation of the first line is part of the YAML.
    yaml_content = forms.CharField(
        label="YAML", strip=False, widget=_Textarea(attrs={"rows": 12, "class": "brokkr-mono"})
    )
    agents = _Agents(
        queryset=Agent.objects.active(),
        required=False,
        widget=_Autocomplete(WorkOrderTarget._meta.get_field("agent"), admin.site),
        help_text="Agents that may claim the order.",
    )
    labels = forms.CharField(
        required=False,
        widget=_Textarea(attrs={"rows": 3}),
        help_text="One a line. An agent that has any of them may claim the order.",
    )
    annotations = forms.CharField(
        required=False,
        widget=_Textarea(attrs={"rows": 3}),
        help_text="One a line, as key=value. An agent that has any of them may claim the order.",
    )
    max_retries = forms.IntegerField(
        label="Retries at most",
        initial=3,
        min_value=0,
        max_value=_MAX,
        widget=_Integer(),
        help_text="Attempts after the first.",
    )
    backoff_seconds = DurationField(
        label="Back-off",
        least=1,
        most=_MAX,
        initial=60,
        help_text="The first retry waits twice as long, and each further one twice again.",
    )
    claim_timeout_seconds = DurationField(
        label="A claim lasts",
        least=1,
        most=_MAX,
        initial=3600,
        help_text="A claim that is older, and was not renewed, ends.",
    )

    # Set if the form was sent to preview the order and not to save it.
    is_preview: ClassVar[bool] = False

    class Meta:
        model = WorkOrder
        fields = ("work_type", "yaml_content", "max_retries", "backoff_seconds", "claim_timeout_seconds")

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_preview

    def clean_yaml_content(self) -> str:
        # Browsers send other line ends than the user typed.
        return str(self.cleaned_data["yaml_content"]).replace("\r\n", "\n")

    def clean_labels(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]

    def clean_annotations(self) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["annotations"].splitlines()):
            key, equals, value = (part.strip() for part in line.partition("="))
            if not equals:
                raise forms.ValidationError("%(line)r is not key=value.", params={"line": line.strip()})
            if key in pairs:
                raise forms.ValidationError("%(key)r is there twice.", params={"key": key})
            pairs[key] = value
        return pairs

    def targeting(self) -> Targeting | None:
        """The targeting in the form; None if any part of it is wrong."""
        if {"agents", "labels", "annotations"} & self.errors.keys():
            return None
        return targeting_of(self.cleaned_data)


def targeting_of(values: dict[str, Any]) -> Targeting:
    return Targeting([agent.pk for agent in values["agents"]], values["labels"], values["annotations"])
