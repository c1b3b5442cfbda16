"""Templates: the list of versions, and the page of one, which is never changed."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.admin import (
    BaseAdmin,
    DeletedFilter,
    Question,
    ServiceAdmin,
    admin_actor,
    ago,
    badge,
    badges,
    detail_action,
    object_link,
    register_page,
)
from core.admin.code import code_block
from core.events import Actor
from core.labels.admin import AnnotationInline, LabelInline
from generators.models import Generator
from stacks.masking import REVEAL_PERMISSION, mask_template
from templates_app.admin.editor import PARTS, PREVIEW, edit, hides_values, parts
from templates_app.admin.history import versions
from templates_app.admin.trial import given_parameters, template_spans, try_out
from templates_app.errors import TemplateNotFound
from templates_app.models import StackTemplate, TemplateAnnotation, TemplateLabel
from templates_app.querysets import TemplateQuerySet
from templates_app.schema_masking import mask_schema
from templates_app.services import delete_template, lock_template, reveal_template

_DESCRIPTION_SHOWN = 80
REVEAL = Question(
    title="Show the hidden values",
    consequence="The next page shows the values of Secrets in this template. The audit log notes that you saw them.",
    button="Show them",
)


class TemplateLabelInline(LabelInline):
    model = TemplateLabel


class TemplateAnnotationInline(AnnotationInline):
    model = TemplateAnnotation


class NewestFilter(admin.SimpleListFilter):
    """Shows only the newest version of each name unless the user asks for all."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All versions")]

    def choices(self, changelist: Any) -> Any:
        for value, words in ((None, "Newest versions"), ("all", "All versions")):
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value})
                if value
                else changelist.get_query_string(remove=[self.parameter_name]),
                "display": words,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(has_newer=False)


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("system", "System"), ("generators", "Generators")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"system", "generators"}:
            return queryset.filter(generator__isnull=self.value() == "system")
        return queryset


@admin.register(StackTemplate)
class TemplateAdmin(ServiceAdmin):
    empty_hint = (
        "A template gives the versions of many stacks, each with parameters of its own. Add one, and try it out while "
        "you write it."
    )
    list_display = ("name_line", "number", "owner", "asks_for", "short_description", "created")
    list_filter = (NewestFilter, OwnerFilter, ("generator", AutocompleteSelectFilter), DeletedFilter)
    list_select_related = ("generator",)
    search_fields = ("name", "description")
    search_help_text = "Name or description"
    ordering = ("name", "-version", "-created_at", "-id")
    inlines = (TemplateLabelInline, TemplateAnnotationInline)
    actions_detail = ("reveal",)
    change_form_after_template = "templates_app/admin/source.html"
    secret_fields = frozenset({"template_content", "checksum"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[StackTemplate]:
        found = cast(TemplateQuerySet, super().get_queryset(request))
        rows = found.with_newer().prefetch_related("labels", "annotations")
        match = request.resolver_match
        is_list = match is not None and match.url_name == "templates_app_stacktemplate_changelist"
        return rows.defer("template_content", "parameters_schema") if is_list else rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("name", "number", "owner", "description", "created", "sha256")
        return shown if obj is None or obj.deleted_at is None else (*shown, "deleted")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description="SHA-256")
    def sha256(self, template: StackTemplate) -> SafeString:
        return format_html('<span class="brokkr-mono">{}</span>', template.checksum)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return edit(request, self, None)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        template = context["original"]
        # The editor adds templates; this form lacks fields that it needs.
        context["show_save_and_add_another"] = False
        context["source_block"] = code_block(mask_template(template.template_content), spans=template_spans)
        context["schema_block"] = code_block(
            mask_schema(template.parameters_schema, template.template_content)
        )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="version", ordering="version")
    def number(self, template: Any) -> str:
        return badge(f"v{template.version}", "quiet" if template.has_newer else "good")

    @admin.display(description="owner", ordering="generator__name")
    def owner(self, template: StackTemplate) -> str:
        generator = template.generator
        return object_link(Generator, generator.pk, generator.name) if generator else badge("system")

    @admin.display(description="for stacks with")
    def asks_for(self, template: StackTemplate) -> str | None:
        labels = sorted(row.label for row in template.labels.all())
        return badges([*labels, *sorted(str(row) for row in template.annotations.all())])

    @admin.display(description="description", ordering="description")
    def short_description(self, template: StackTemplate) -> str | None:
        return Truncator(template.description).chars(_DESCRIPTION_SHOWN) if template.description else None

    @admin.display(description="created", ordering="created_at")
    def created(self, template: StackTemplate) -> str | None:
        return ago(template.created_at)

    def delete(self, *, row: StackTemplate, actor: Actor) -> None:
        delete_template(template=lock_template(row.pk), actor=actor)

    def consequences(self, row: StackTemplate) -> list[str]:
        return ["Only this version goes. What was made from it stays as it is."]

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return (
            row is not None
            and request.user.has_perm(REVEAL_PERMISSION)
            and self.has_view_permission(request, row)
            and hides_values(row)
        )

    @detail_action(description="Show hidden values", icon="visibility", question=REVEAL, permission="reveal")
    def reveal(self, request: HttpRequest, template: StackTemplate) -> HttpResponse:
        reveal_template(template=template, actor=admin_actor(request))
        context = {
            "source_block": code_block(template.template_content, spans=template_spans),
            "schema_block": code_block(template.parameters_schema),
        }
        return self.render_page(request, template, "templates_app/admin/revealed.html", context)


def _new_version(request: HttpRequest, model_admin: BaseAdmin, template: StackTemplate) -> HttpResponse:
    if template.deleted_at is not None:
        model_admin.message_user(request, TemplateNotFound.message, messages.ERROR)
        return HttpResponseRedirect(model_admin.url_of(template))
    return edit(request, model_admin, template)


def _preview(request: HttpRequest, model_admin: BaseAdmin, template: StackTemplate) -> HttpResponse:
    """Renders the version with the user's parameters. A POST stores nothing."""
    given = given_parameters(request.POST)
    trial = try_out(template.template_content, template.parameters_schema, given, is_masked=True)
    if request.POST.get(PREVIEW) == PARTS:
        return parts(trial)
    return model_admin.render_page(request, template, "templates_app/admin/preview.html", {"trial": trial})


register_page(StackTemplate, "preview", "Preview", _preview, "templates_app.view_stacktemplate")
register_page(StackTemplate, "versions", "Versions", versions, "templates_app.view_stacktemplate")
register_page(StackTemplate, "new-version", "New version", _new_version, "templates_app.add_stacktemplate")
