"""Versions: the list of all, and the page of one, which is never changed."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.admin import (
    CappedPaginator,
    DeletedFilter,
    ReadOnlyAdmin,
    TimeRangeFilter,
    admin_actor,
    badge,
    detail_action,
    link,
    moment,
    register_page,
    whole_number,
)
from core.admin.authors import authors_of
from stacks.admin.manifests import PUBLISH_PERMISSION, REVEAL, manifest_block, may_reveal
from stacks.admin.publication import roll_back_page
from stacks.event_kinds import StackEventKind
from stacks.masking import hides_values
from stacks.models import DeploymentObject
from stacks.services import reveal_secrets


@admin.register(DeploymentObject)
class DeploymentObjectAdmin(ReadOnlyAdmin):
    empty_hint = "Each version of a stack is one. Publish the first on the page of a stack, or let its generator do it."
    list_display = ("number", "stack_link", "generator", "kind", "checksum", "published")
    list_filter = (("stack", AutocompleteSelectFilter), ("created_at", TimeRangeFilter), DeletedFilter)
    list_select_related = ("stack__generator",)
    search_fields = ("stack__name",)
    search_help_text = "Stack's name, or a version's id"
    ordering = ("-sequence_id",)
    paginator = CappedPaginator
    fields = (
        "number",
        "stack_link",
        "generator",
        "kind",
        "published",
        "author",
        "deleted",
        "id",
        "whole_checksum",
        "history_link",
        "manifest",
    )
    readonly_fields = fields
    actions_detail = ("reveal",)
    secret_fields = frozenset({"yaml_content", "yaml_checksum"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeploymentObject]:
        rows: QuerySet[DeploymentObject] = super().get_queryset(request).select_related("stack__generator")
        match = request.resolver_match
        # The list does not show the texts, and 50 large manifests would be megabytes.
        is_list = match is not None and match.url_name == "stacks_deploymentobject_changelist"
        return rows.defer("yaml_content") if is_list else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # Links from the audit log have the UUID, which the wire uses.
        try:
            by_uuid = DeploymentObject.objects.filter(id=UUID(object_id)).values_list("pk", flat=True).first()
        except ValueError:
            by_uuid = None
        row = super().get_object(request, str(by_uuid) if by_uuid else object_id, from_field)
        if row is not None:
            row.part = whole_number(request.POST.get("part") or request.GET.get("part")) or 1
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            return queryset.filter(id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def name_of(self, row: DeploymentObject) -> str:
        return f"{row} of {row.stack}"

    @admin.display(description="version", ordering="sequence_id")
    def number(self, obj: DeploymentObject) -> str:
        return f"#{obj.sequence_id}"

    @admin.display(description="generator")
    def generator(self, obj: DeploymentObject) -> str:
        generator = obj.stack.generator
        return link("generators_generator_change", generator.name, generator.pk)

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
        return moment(obj.created_at)

    @admin.display(description="stack", ordering="stack__name")
    def stack_link(self, obj: DeploymentObject) -> str:
        return link("stacks_stack_change", obj.stack, obj.stack_id)

    @admin.display(description="published by")
    def author(self, obj: DeploymentObject) -> str:
        author = authors_of(StackEventKind.DEPLOYMENT_CREATED, [obj.id]).get(obj.id)
        return author.html if author else "not in the audit log"

    @admin.display(description="compare")
    def history_link(self, obj: DeploymentObject) -> str:
        return link(
            "stacks_stack_objects", "With other versions of the stack", obj.stack_id, query={"to": obj.pk}
        )

    @admin.display(description="manifest")
    def manifest(self, obj: Any) -> str | None:
        # The theme asks for it several times, and for a large one each time takes a second.
        if not hasattr(obj, "manifest_block"):
            text = obj.yaml_content
            obj.manifest_block = manifest_block(text, number=obj.part, pages_at="?part=") if text else None
        return cast(str | None, obj.manifest_block)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        return (
            row is not None
            and may_reveal(request)
            and self.has_view_permission(request, row)
            and hides_values(row.yaml_content)
        )

    @detail_action(description="Show hidden values", icon="visibility", question=REVEAL, permission="reveal")
    def reveal(self, request: HttpRequest, obj: Any) -> HttpResponse:
        reveal_secrets(obj=obj, actor=admin_actor(request))
        block = manifest_block(obj.yaml_content, number=obj.part, is_revealed=True, pages_form="parts")
        context = {"code": block, "heading": "Manifest", "pages_form": "parts"}
        return self.render_page(request, obj, "core/admin/code.html", context)


register_page(
    DeploymentObject,
    "roll-back",
    "Roll back to this",
    roll_back_page,
    PUBLISH_PERMISSION,
    is_for=lambda version: not version.is_deletion_marker and version.stack.deleted_at is None,
)
