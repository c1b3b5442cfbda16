"""Stacks: the list, and the page of one stack."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.admin import (
    Created,
    DeletedFilter,
    ServiceAdmin,
    ago,
    first_badges,
    link,
    register_page,
)
from core.admin.filters import LabelFilter
from core.events import Actor
from core.labels.admin import AnnotationInline, LabelInline
from generators.models import Generator
from stacks.admin.history import history
from stacks.admin.manifests import PUBLISH_PERMISSION
from stacks.admin.publication import publish_page
from stacks.models import DeploymentObject, Stack, StackAnnotation, StackLabel
from stacks.services import create_stack, delete_stack, lock_stack, update_stack


class StackLabelInline(LabelInline):
    model = StackLabel


class StackAnnotationInline(AnnotationInline):
    model = StackAnnotation


@admin.register(Stack)
class StackAdmin(ServiceAdmin):
    reads_first = True
    change_form_outer_before_template = "core/admin/columns.html"
    empty_hint = (
        "A stack is what agents are given together, one version after the other. Generators create stacks, or you add "
        "one here and publish its first version."
    )
    list_display = ("name_line", "owner", "newest_line", "label_list")
    list_filter = (("generator", AutocompleteSelectFilter), LabelFilter, DeletedFilter)
    list_select_related = ("generator",)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("generator",)
    readonly_fields = ("newest_object", "objects_link", "created", "deleted")
    inlines = (StackLabelInline, StackAnnotationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stack]:
        newest = DeploymentObject.objects.versions().filter(stack=OuterRef("pk")).newest_first()
        rows: QuerySet[Stack] = super().get_queryset(request)
        return rows.annotate(
            newest_sequence=Subquery(newest.values("sequence_id")[:1]),
            newest_at=Subquery(newest.values("created_at")[:1]),
        ).prefetch_related("labels")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "generator", "description")
        shown = ("name", "generator", "description", "newest_object", "objects_link", "created")
        return shown if obj.deleted_at is None else (*shown, "deleted")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "generator":
            kwargs["queryset"] = Generator.objects.active().owners()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="generator", ordering="generator__name")
    def owner(self, stack: Stack) -> str:
        return link("generators_generator_change", stack.generator.name, stack.generator_id)

    @admin.display(description="labels")
    def label_list(self, stack: Stack) -> str | None:
        return first_badges(sorted(row.label for row in stack.labels.all()))

    @admin.display(description="newest version", ordering="newest_sequence")
    def newest_object(self, stack: Any) -> str | None:
        if stack.newest_sequence is None:
            return None
        return link("stacks_deploymentobject_change", f"#{stack.newest_sequence}", stack.newest_sequence)

    @admin.display(description="newest version", ordering="newest_at")
    def newest_line(self, stack: Any) -> str | None:
        """Its number over its age, so that the row fits on narrower screens."""
        if stack.newest_sequence is None:
            return None
        return format_html(
            '<span>{} <span class="brokkr-where">{}</span></span>',
            self.newest_object(stack),
            ago(stack.newest_at),
        )

    @admin.display(description="all versions")
    def objects_link(self, stack: Stack) -> str:
        return link(
            "stacks_deploymentobject_changelist",
            "Versions of this stack",
            query={"stack__id__exact": stack.pk, "deleted": "all"},
        )

    @admin.display(description="created", ordering="created_at")
    def created(self, stack: Stack) -> str | None:
        return ago(stack.created_at)

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        return Created(
            create_stack(
                name=values["name"],
                description=values["description"] or None,
                generator_id=values["generator"].pk,
                actor=actor,
            )
        )

    def update(self, *, row: Stack, changes: dict[str, Any], actor: Actor) -> None:
        if "description" in changes:
            changes["description"] = changes["description"] or None
        if "generator" in changes:
            changes["generator_id"] = changes.pop("generator").pk
        update_stack(stack=lock_stack(row.pk), changes=changes, actor=actor)  # type: ignore[arg-type]  # the form has only these fields

    def delete(self, *, row: Stack, actor: Actor) -> None:
        delete_stack(stack=lock_stack(row.pk), actor=actor)

    def consequences(self, row: Stack) -> list[str]:
        return ["Agents remove from their clusters what they had deployed of it."]


register_page(Stack, "objects", "Versions", history, "stacks.view_deploymentobject")
register_page(
    Stack,
    "publish",
    "Publish",
    publish_page,
    PUBLISH_PERMISSION,
    is_for=lambda stack: stack.deleted_at is None,
)
