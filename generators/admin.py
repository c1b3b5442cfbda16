"""The operator's page of generators."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.admin import (
    Created,
    DeletedFilter,
    ServiceAdmin,
    ServiceForm,
    admin_actor,
    ago,
    counted,
    detail_action,
    link,
)
from core.admin.finders import Hit, is_id, register_finder
from core.events import Actor
from generators.models import Generator
from generators.services import (
    create_generator,
    delete_generator,
    lock_generator,
    rotate_generator_pak,
    update_generator,
)
from paks.admin.rotation import chosen_overlap, rotation_question

ROTATE = rotation_question(
    title="Rotate the generator's key",
    consequence="The new key is shown once, on the next page; the generator needs it before the present one ends. Its "
    "keys with limits stay as they are.",
)


class GeneratorForm(ServiceForm):
    class Meta:
        model = Generator
        fields = ("name", "description", "is_active")
        labels: ClassVar[dict[str, str]] = {"is_active": "Active"}


@admin.register(Generator)
class GeneratorAdmin(ServiceAdmin):
    form = GeneratorForm
    key_permission = "paks.add_pak"
    empty_hint = (
        "A generator is what publishes, a CI job for instance. Add one to get the key that it publishes with."
    )
    list_display = ("name_line", "active", "stacks_count", "last_active", "created")
    list_filter = ("is_active", DeletedFilter)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("name",)
    readonly_fields = ("stacks_link", "last_active", "created", "deleted")
    actions_detail = ("rotate_key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generator]:
        live = Count("stacks", filter=Q(stacks__deleted_at__isnull=True))
        rows: QuerySet[Generator] = super().get_queryset(request)
        return rows.annotate(live_stacks=live)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "description")
        shown = ("name", "description", "is_active", "stacks_link", "last_active", "created")
        return shown if obj.deleted_at is None else (*shown, "deleted")

    @admin.display(description="active", boolean=True, ordering="is_active")
    def active(self, row: Generator) -> bool:
        return row.is_active

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return super().selectable(rows).filter(is_system=False)

    def is_open(self, row: Any) -> bool:
        return super().is_open(row) and not row.is_system

    @admin.display(description="stacks", ordering="live_stacks")
    def stacks_count(self, generator: Any) -> int:
        return int(generator.live_stacks)

    @admin.display(description="stacks")
    def stacks_link(self, generator: Any) -> str:
        return link(
            "stacks_stack_changelist",
            counted(generator.live_stacks, "stack"),
            query={"generator__id__exact": generator.pk},
        )

    @admin.display(description="last active", ordering="last_active_at")
    def last_active(self, generator: Generator) -> str:
        return ago(generator.last_active_at) or "never"

    @admin.display(description="created", ordering="created_at")
    def created(self, generator: Generator) -> str | None:
        return ago(generator.created_at)

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        generator, key = create_generator(
            name=values["name"], description=values["description"] or None, actor=actor
        )
        return Created(generator, key)

    def update(self, *, row: Generator, changes: dict[str, Any], actor: Actor) -> None:
        if "description" in changes:
            changes["description"] = changes["description"] or None
        update_generator(generator=lock_generator(row.pk), changes=changes, actor=actor)  # type: ignore[arg-type]  # the form has only these fields

    def delete(self, *, row: Generator, actor: Actor) -> None:
        delete_generator(generator=lock_generator(row.pk), actor=actor)

    def consequences(self, row: Any) -> list[str]:
        return [
            f"Its stacks are deleted too: {row.live_stacks}.",
            "Agents remove from their clusters what they had deployed of them.",
            "Its keys stop working.",
        ]

    @detail_action(description="Rotate key", icon="key", question=ROTATE, permission="issue_key")
    def rotate_key(self, request: HttpRequest, generator: Generator) -> HttpResponse:
        key = rotate_generator_pak(
            generator=lock_generator(generator.pk),
            actor=admin_actor(request),
            overlap=chosen_overlap(request),
        )
        return self.show_key(request, generator, key)


def _found(text: str, limit: int) -> Sequence[Hit]:
    """What the search of the admin finds."""
    rows = Generator.objects.active().filter(is_id(text) or Q(name__icontains=text)).order_by("name")[:limit]
    return [
        Hit(
            row.name,
            "" if row.is_active else "inactive",
            reverse("admin:generators_generator_change", args=[row.pk]),
        )
        for row in rows
    ]


register_finder("Generators", _found, "generators.view_generator")
