"""The pages that publish: a new text, or the text of an older version again."""

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.admin import BaseAdmin, admin_actor, whole_number
from core.admin.code import split_lines
from core.admin.planning import Unconfirmed, carry_out
from core.errors import DomainError
from core.validators import MAX_REASON
from stacks.admin.delivery import DeliveryForm, delivery_form
from stacks.admin.manifests import manifest_diff, may_reveal, object_diff
from stacks.errors import InvalidDeploymentObject
from stacks.manifests import Manifest, checksum
from stacks.masking import UNREADABLE, ValueUnknown, hides_values, mask_secrets, restore_secrets
from stacks.models import DeploymentObject, Stack
from stacks.services import (
    PublishOptions,
    check_publishable,
    expanded,
    publish_checked,
    reveal_secrets,
    roll_back,
)

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    from django.contrib.admin.widgets import AdminTextareaWidget as _Textarea
    from django.contrib.admin.widgets import AdminTextInputWidget as _TextInput
    from django.forms import CheckboxInput as _Switch
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as _Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as _TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as _Switch

# The limit of a text in a form. Longer texts are sent as a file.
MAX_TYPED_CHARACTERS = 1024 * 1024
_EXCERPT = 200
# The id of the form, by which also the parts of the comparison are asked for.
_FORM = "publish-form"


class PublishForm(forms.Form):
    """`yaml`, when the form is valid, is the text to publish, typed or from the file, with masked values put back."""

    # Not stripped, because the indentation of the first line is part of the YAML.
    manifest = forms.CharField(
        label="YAML",
        strip=False,
        required=False,
        widget=_Textarea(
            attrs={
                "rows": 28,
                "class": "brokkr-source",
                "spellcheck": "false",
                "autocomplete": "off",
                "wrap": "off",
            }
        ),
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(),
        help_text="In UTF-8. It takes the place of what is typed.",
    )
    expand_lists = forms.BooleanField(
        label="Expand lists",
        required=False,
        widget=_Switch(),
        help_text="Each item of a List becomes a document of its own; agents do not take lists apart.",
    )
    # The newest version when the form was opened. The page sends it back.
    base = forms.IntegerField(required=False)
    # The checksum of the text whose warnings the page showed.
    warned = forms.CharField(required=False)

    def __init__(self, *args: Any, newest: DeploymentObject | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._newest = newest
        self.yaml = ""
        # What is in it, and to be said about it.
        self.read = Manifest([], [])
        # The number of the refused line, and the line as it was typed.
        self.error_line: int | None = None
        self.excerpt = ""

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        text = self._text()
        if text is not None:
            self._check(text)
        if values.get("base") != (self._newest.pk if self._newest else None):
            self.add_error(
                None,
                f"{self._newest} was published since you opened this form. Compare, and publish again if you "
                "still want to.",
            )
        return values

    def _text(self) -> str | None:
        file = self.cleaned_data.get("file")
        if file is None:
            # Browsers send CRLF line ends.
            return str(self.cleaned_data.get("manifest", "")).replace("\r\n", "\n")
        if file.size > settings.MAX_MANIFEST_BYTES:
            self.add_error("file", f"A manifest has at most {settings.MAX_MANIFEST_BYTES:,} bytes.")
            return None
        try:
            return str(file.read().decode())
        except UnicodeDecodeError:
            self.add_error("file", "The file is not text in UTF-8.")
            return None

    def _check(self, text: str) -> None:
        field = "file" if self.cleaned_data.get("file") else "manifest"
        try:
            self.yaml = restore_secrets(text, self._newest.yaml_content if self._newest else "")
            if self.cleaned_data.get("expand_lists"):
                self.yaml = expanded(self.yaml)
            self.read = check_publishable(self.yaml, is_deletion_marker=False)
        except ValueUnknown as unknown:
            self._mark(text, unknown.line)
            self.add_error(
                field, f"Line {unknown.line}: {self._newest or 'The stack'} has no hidden value here."
            )
        except InvalidDeploymentObject as refusal:
            line = refusal.details.get("line")
            self._mark(text, line if isinstance(line, int) else None)
            self.add_error(field, refusal.text)

    @property
    def warns(self) -> bool:
        """Whether there are warnings that the page has not shown for this very text."""
        return bool(self.read.findings) and self.cleaned_data["warned"] != checksum(self.yaml)

    def _mark(self, text: str, line: int | None) -> None:
        lines = split_lines(text)
        self.error_line = line
        self.excerpt = lines[line - 1][:_EXCERPT] if line is not None and line <= len(lines) else ""


class RollBackForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON, widget=_TextInput(), help_text="Goes into the audit log, with your name."
    )


def publish_page(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """The form for the next version, with the checks of the API. It can be compared before it is published."""
    if stack.deleted_at is not None:
        return _elsewhere(
            request, model_admin, stack, "The stack is deleted: nothing is published in it any more."
        )
    newest = stack.deployment_objects.versions().newest_first().first()
    is_sent = request.method == "POST" and "reveal" not in request.POST
    delivery = delivery_form(request, stack, is_sent=is_sent, asks_reason=True)
    context: dict[str, Any] = {"newest": newest, "may_reveal": False, "delivery": delivery}
    if not is_sent:
        is_revealed = request.method == "POST" and newest is not None and may_reveal(request)
        if is_revealed and newest is not None:
            reveal_secrets(obj=newest, actor=admin_actor(request))
        form = PublishForm(newest=newest, initial=_initial(newest, is_revealed=is_revealed))
        if newest is not None and hides_values(newest.yaml_content):
            context |= {"hides": not is_revealed, "may_reveal": may_reveal(request) and not is_revealed}
        return _publish_form(request, model_admin, stack, form, context)
    form = PublishForm(request.POST, request.FILES, newest=newest)
    is_complete = all([form.is_valid(), delivery is None or delivery.is_valid()])
    part = whole_number(request.POST.get("part"))
    is_compared = "_compare" in request.POST or part is not None
    if is_complete and not is_compared and not form.warns:
        try:
            obj = carry_out(
                request,
                [stack],
                partial(
                    publish_checked,
                    stack_id=stack.pk,
                    yaml_content=form.yaml,
                    is_deletion_marker=False,
                    actor=admin_actor(request),
                    options=_options(delivery),
                    objects=form.read.objects,
                ),
                phrase=stack.name,
                actor=admin_actor(request),
            )
        except Unconfirmed as unconfirmed:
            context["plan"] = unconfirmed.plan
        except DomainError as refusal:
            form.add_error(None, refusal.text)
        else:
            messages.success(request, f"Published: {obj} of {stack}.")
            _tell_warnings(request, obj)
            return HttpResponseRedirect(reverse("admin:stacks_stack_objects", args=[stack.pk]))
    if form.yaml and form.error_line is None:
        findings = form.read.findings
        context |= {"findings": findings, "checksum": checksum(form.yaml) if findings else ""}
        context["diff"] = manifest_diff(
            newest.yaml_content if newest else "",
            form.yaml,
            old_title=newest or "Nothing yet",
            new_title="What you are about to publish",
            page=part or 1,
            # Browsers do not send a file again.
            pages_form="" if request.FILES else _FORM,
        )
    return _publish_form(request, model_admin, stack, form, context)


def _tell_warnings(request: HttpRequest, obj: DeploymentObject) -> None:
    for warning in obj.warnings:
        messages.warning(request, warning.message)


def roll_back_page(request: HttpRequest, model_admin: BaseAdmin, obj: DeploymentObject) -> HttpResponse:
    """The page that rolls back: what would change, a field for the reason, and the button."""
    newest = obj.stack.deployment_objects.versions().newest_first().first()
    if obj.is_deletion_marker or newest is None or obj.stack.deleted_at is not None:
        return _elsewhere(request, model_admin, obj, "Its stack is deleted, or it holds no manifest.")
    form, plan = RollBackForm(request.POST or None), None
    is_sent = request.method == "POST"
    delivery = delivery_form(request, obj.stack, is_sent=is_sent, asks_reason=False)
    if is_sent and all([form.is_valid(), delivery is None or delivery.is_valid()]):
        reason, actor = form.cleaned_data["reason"], admin_actor(request)
        strategy = _options(delivery).strategy
        try:
            published = carry_out(
                request,
                [obj.stack],
                partial(
                    roll_back,
                    stack_id=obj.stack_id,
                    to=obj,
                    reason=reason,
                    actor=actor,
                    strategy=strategy,
                ),
                phrase=obj.stack.name,
                actor=actor,
            )
        except Unconfirmed as unconfirmed:
            plan = unconfirmed.plan
        except DomainError as refusal:
            form.add_error(None, refusal.text)
        else:
            model_admin.message_user(
                request, f"Published again: the content of {obj}, as {published}.", messages.SUCCESS
            )
            return HttpResponseRedirect(reverse("admin:stacks_stack_objects", args=[obj.stack_id]))
    context = {
        "form": form,
        "delivery": delivery,
        "plan": plan,
        "newest": newest,
        "is_newest": newest.yaml_checksum == obj.yaml_checksum,
        "diff": object_diff(newest, obj, pages_at=_pages_of_comparison(newest, obj)),
    }
    return model_admin.render_page(request, obj, "stacks/admin/roll_back.html", context)


def _pages_of_comparison(old: DeploymentObject, new: DeploymentObject) -> str:
    query = urlencode({"from": old.pk, "to": new.pk, "part": ""})
    return f"{reverse('admin:stacks_stack_objects', args=[old.stack_id])}?{query}"


def _initial(newest: DeploymentObject | None, *, is_revealed: bool) -> dict[str, Any]:
    if newest is None or len(newest.yaml_content) > MAX_TYPED_CHARACTERS:
        return {}
    text = newest.yaml_content if is_revealed else mask_secrets(newest.yaml_content)
    return {"manifest": "" if text == UNREADABLE else text}


def _publish_form(
    request: HttpRequest, model_admin: BaseAdmin, stack: Stack, form: PublishForm, context: dict[str, Any]
) -> HttpResponse:
    context = {"form": form, "form_id": _FORM, **context}
    return model_admin.render_page(request, stack, "stacks/admin/publish.html", context)


def _options(delivery: DeliveryForm | None) -> PublishOptions:
    return delivery.options() if delivery is not None else PublishOptions()


def _elsewhere(request: HttpRequest, model_admin: BaseAdmin, row: Any, why: str) -> HttpResponse:
    model_admin.message_user(request, why, messages.WARNING)
    return HttpResponseRedirect(model_admin.url_of(row))
