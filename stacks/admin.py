"""The operator's pages of stacks and their deployment objects."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.admin import (
    CappedPaginator,
    Created,
    DeletedFilter,
    ReadOnlyAdmin,
    ServiceAdmin,
    TimeRangeFilter,
    ago,
    badge,
    badges,
    link,
)
from core.events import Actor
from core.labels.admin import AnnotationInline, LabelInline
from generators.models import Generator
from stacks.masking import mask_secrets
from stacks.models import DeploymentObject, Stack, StackAnnotation, StackLabel
from stacks.services import create_stack, delete_stack, lock_stack, update_stack


class StackLabelInline(LabelInline):
    model = StackLabel


class StackAnnotationInline(AnnotationInline):
    model = StackAnnotation


@admin.register(Stack)
class StackAdmin(ServiceAdmin):
    list_display = ("name", "generator", "label_list", "newest_object", "published", "created")
    list_filter = (("generator", AutocompleteSelectFilter), DeletedFilter)
    list_select_related = ("generator",)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("generator",)
    readonly_fields = ("newest_object", "objects_link", "created", "deleted_at")
    inlines = (StackLabelInline, StackAnnotationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stack]:
        newest = DeploymentObject.objects.active().filter(stack=OuterRef("pk")).newest_first()
        rows: QuerySet[Stack] = super().get_queryset(request)
        return rows.annotate(
            newest_sequence=Subquery(newest.values("sequence_id")[:1]),
            newest_at=Subquery(newest.values("created_at")[:1]),
        ).prefetch_related("labels")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "generator", "description")
        shown = ("name", "generator", "description", "newest_object", "objects_link", "created")
        return shown if obj.deleted_at is None else (*shown, "deleted_at")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "generator":
            kwargs["queryset"] = Generator.objects.active().tenants()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="labels")
    def label_list(self, stack: Stack) -> str | None:
        return badges(sorted(row.label for row in stack.labels.all()))

    @admin.display(description="newest object", ordering="newest_sequence")
    def newest_object(self, stack: Any) -> str | None:
        if stack.newest_sequence is None:
            return None
        return link("stacks_deploymentobject_change", f"#{stack.newest_sequence}", stack.newest_sequence)

    @admin.display(description="published", ordering="newest_at")
    def published(self, stack: Any) -> str | None:
        return ago(stack.newest_at)

    @admin.display(description="history")
    def objects_link(self, stack: Stack) -> str:
        return link(
            "stacks_deploymentobject_changelist",
            "All deployment objects of this stack",
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


@admin.register(DeploymentObject)
class DeploymentObjectAdmin(ReadOnlyAdmin):
    list_display = ("number", "stack", "generator", "kind", "checksum", "published")
    list_display_links = ("number",)
    list_filter = (("stack", AutocompleteSelectFilter), ("created_at", TimeRangeFilter), DeletedFilter)
    list_select_related = ("stack__generator",)
    search_fields = ("stack__name",)
    search_help_text = "Stack's name, or an object's id"
    ordering = ("-sequence_id",)
    paginator = CappedPaginator
    fields = (
        "number",
        "stack",
        "generator",
        "kind",
        "published",
        "deleted_at",
        "id",
        "whole_checksum",
        "manifest",
    )
    readonly_fields = fields
    secret_fields = frozenset({"yaml_content", "yaml_checksum"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeploymentObject]:
        rows: QuerySet[DeploymentObject] = super().get_queryset(request).select_related("stack__generator")
        match = request.resolver_match
        # The text of a page of large manifests would be megabytes that no list shows.
        is_list = match is not None and match.url_name == "stacks_deploymentobject_changelist"
        return rows.defer("yaml_content") if is_list else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # The wire and the audit log know the object by its UUID.
        try:
            by_uuid = DeploymentObject.objects.filter(id=UUID(object_id)).values_list("pk", flat=True).first()
        except ValueError:
            by_uuid = None
        return super().get_object(request, str(by_uuid) if by_uuid else object_id, from_field)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            return queryset.filter(id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    @admin.display(description="object", ordering="sequence_id")
    def number(self, obj: DeploymentObject) -> str:
        return f"#{obj.sequence_id}"

    @admin.display(description="generator")
    def generator(self, obj: DeploymentObject) -> str:
        return obj.stack.generator.name

    @admin.display(description="kind")
    def kind(self, obj: DeploymentObject) -> str:
        return badge("deletion marker", "bad") if obj.is_deletion_marker else badge("manifest")

    @admin.display(description="checksum")
    def checksum(self, obj: DeploymentObject) -> str:
        return format_html(
            '<span class="brokkr-mono" title="{}">{}</span>', obj.yaml_checksum, obj.yaml_checksum[:12]
        )

    @admin.display(description="SHA-256")
    def whole_checksum(self, obj: DeploymentObject) -> str:
        return format_html('<span class="brokkr-mono">{}</span>', obj.yaml_checksum)

    @admin.display(description="published", ordering="created_at")
    def published(self, obj: DeploymentObject) -> str | None:
        return ago(obj.created_at)

    @admin.display(description="manifest")
    def manifest(self, obj: DeploymentObject) -> str | None:
        if not obj.yaml_content:
            return None
        return format_html(
            '<pre class="brokkr-manifest" tabindex="0">{}</pre>', mask_secrets(obj.yaml_content)
        )
