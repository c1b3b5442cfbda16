"""The editor of templates. Saving adds a version; a trial stores nothing."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse

from core.admin import BaseAdmin, admin_actor
from core.errors import DomainError
from core.events import Actor
from stacks.masking import UNREADABLE, mask_template
from templates_app.admin.forms import NEW_SCHEMA, NEW_TEMPLATE, TemplateForm
from templates_app.admin.trial import Trial, given_parameters, try_out
from templates_app.models import StackTemplate
from templates_app.schema_masking import mask_schema
from templates_app.services import create_template, lock_template, update_template

# The button of a trial, and its value when the page's script asks for the changed parts only.
PREVIEW = "_preview"
PARTS = "parts"


def edit(request: HttpRequest, admin: BaseAdmin, source: StackTemplate | None) -> HttpResponse:
    """The page for a new template or, with a `source`, for the version after it."""
    if request.method != "POST":
        form = TemplateForm(source=source, initial=_initial(source))
        return _page(request, admin, source, form, _trial(form.initial, {}))
    form = TemplateForm(request.POST, source=source)
    if PREVIEW in request.POST:
        trial = _trial(request.POST, given_parameters(request.POST))
        if request.POST[PREVIEW] == PARTS:
            return parts(trial)
        # Unbound, because a trial does not need a name yet.
        return _page(request, admin, source, TemplateForm(source=source, initial=request.POST.dict()), trial)
    if form.is_valid():
        try:
            template = _save(source, form, admin_actor(request))
        except DomainError as refusal:
            form.add_error(None, refusal.text)
        else:
            admin.message_user(request, f"Saved: {template}.", messages.SUCCESS)
            return HttpResponseRedirect(admin.url_of(template))
    return _page(request, admin, source, form, _trial(request.POST, given_parameters(request.POST)))


def hides_values(template: StackTemplate) -> bool:
    """Whether pages mask something of the template or of its schema."""
    content, schema = template.template_content, template.parameters_schema
    return mask_template(content) != content or mask_schema(schema, content) != schema


def parts(trial: Trial) -> HttpResponse:
    """The parts of the page that its script replaces."""
    return JsonResponse(
        {"schema": trial.schema_digest, "parameters": trial.parameters_html(), "result": trial.result_html()}
    )


def _initial(source: StackTemplate | None) -> dict[str, Any]:
    if source is None:
        return {"template_content": NEW_TEMPLATE, "parameters_schema": NEW_SCHEMA}
    shown = mask_template(source.template_content)
    return {
        "description": source.description or "",
        "template_content": "" if shown == UNREADABLE else shown,
        "parameters_schema": mask_schema(source.parameters_schema, source.template_content),
    }


def _trial(values: Any, given: dict[str, str]) -> Trial:
    content, schema = (
        str(values.get(name, "")).replace("\r\n", "\n") for name in ("template_content", "parameters_schema")
    )
    return try_out(content, schema, given)


@transaction.atomic
def _save(source: StackTemplate | None, form: TemplateForm, actor: Actor) -> StackTemplate:
    if source is not None:
        return update_template(template=lock_template(source.pk), draft=form.draft, actor=actor)
    owner = form.cleaned_data["generator"]
    return create_template(
        generator_id=None if owner is None else owner.pk,
        name=form.cleaned_data["name"],
        draft=form.draft,
        actor=actor,
    )


def _page(
    request: HttpRequest, admin: BaseAdmin, source: StackTemplate | None, form: TemplateForm, trial: Trial
) -> HttpResponse:
    context = {"form": form, "trial": trial, "source": source, "media": admin.media + form.media}
    if source is not None:
        context["hides"] = hides_values(source)
        return admin.render_page(request, source, "templates_app/admin/editor.html", context)
    common = {
        **admin.admin_site.each_context(request),
        "title": admin.title_of_adding(request),
        "opts": admin.opts,
    }
    return TemplateResponse(request, "templates_app/admin/editor.html", {**common, **context})
