"""The editor's form: the fields of a template version."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from core.admin.widgets import RowSelect
from core.validators import MAX_NAME
from generators.models import Generator
from stacks.masking import masked_line
from templates_app.errors import InvalidParametersSchema, InvalidTemplate, InvalidTemplateSyntax
from templates_app.models import StackTemplate
from templates_app.schema_masking import MaskLeft, restore_schema
from templates_app.services import Draft, draft

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextareaWidget as _Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput

    _Generators = forms.ModelChoiceField[Generator]
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput

    _Generators = forms.ModelChoiceField

NEW_SCHEMA = """\
{
  "type": "object",
  "required": ["name"],
  "properties": {
    "name": {"type": "string", "description": "What it is called in the cluster"}
  }
}
"""
NEW_TEMPLATE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ name }}\n"


def _source(rows: int) -> Any:
    return _Textarea(
        attrs={
            "rows": rows,
            "class": "brokkr-source",
            "spellcheck": "false",
            "autocomplete": "off",
            "wrap": "off",
        }
    )


class TemplateForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, widget=_TextInput())
    generator = _Generators(
        queryset=Generator.objects.active().owners(),
        required=False,
        widget=RowSelect(StackTemplate._meta.get_field("generator"), admin.site),
        help_text="Left empty, it is a system template, which every generator may use.",
    )
    description = forms.CharField(required=False, widget=_TextInput())
    # Not stripped, because the first indentation and the last line end are part of the rendered text.
    template_content = forms.CharField(label="Template", strip=False, widget=_source(24))
    parameters_schema = forms.CharField(
        label="Parameters schema", strip=False, widget=_source(14), help_text="JSON Schema, as JSON."
    )

    # Set when the form is valid.
    draft: Draft

    def __init__(self, *args: Any, source: StackTemplate | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = source
        if source is not None:
            # A version keeps the name and the owner of the version before it.
            del self.fields["name"], self.fields["generator"]
            self.fields["description"].help_text = "Left empty, the one of the version before stays."

    def clean_template_content(self) -> str:
        # Browsers send CRLF line ends.
        text = str(self.cleaned_data["template_content"]).replace("\r\n", "\n")
        if (line := masked_line(text)) is not None:
            raise forms.ValidationError(
                f"Line {line}: the mask hides a value that is not sent back. Type the value in its place."
            )
        return text

    def clean_parameters_schema(self) -> str:
        return str(self.cleaned_data["parameters_schema"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if {"template_content", "parameters_schema"} <= values.keys():
            try:
                self.draft = draft(
                    description=values.get("description") or None,
                    template_content=values["template_content"],
                    parameters_schema=self._schema(values),
                )
            except MaskLeft as left:
                self.add_error(
                    "parameters_schema",
                    f"Line {left.line}: the mask hides no value that is known here. Type the value in its place.",
                )
            except InvalidTemplateSyntax as refusal:
                self.add_error("template_content", refusal.text)
            except InvalidParametersSchema as refusal:
                self.add_error("parameters_schema", refusal.text)
            except InvalidTemplate as refusal:
                self.add_error(None, refusal.text)
        return values

    def _schema(self, values: dict[str, Any]) -> str:
        base = (self._source.parameters_schema, self._source.template_content) if self._source else ("", "")
        return restore_schema(values["parameters_schema"], values["template_content"], *base)
