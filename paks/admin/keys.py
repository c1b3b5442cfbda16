"""The admin's page of keys. It shows who holds a key and when it was used, never the key or its hash."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core import clock
from core.admin import (
    Created,
    Instruction,
    MarkFilter,
    Question,
    ServiceAdmin,
    ServiceForm,
    admin_actor,
    ago,
    badges,
    bulk_action,
    detail_action,
    object_link,
)
from core.events import Actor
from paks.admin.rotation import chosen_overlap, rotation_question
from paks.admin.values import limits_words, state_badge, use_words
from paks.endings import ending_soon
from paks.models import Pak, Role
from paks.querysets import PakQuerySet
from paks.services import issue_pak, replace_pak, revoke_pak
from paks.subjects import subject_names

REVOKE = Question(
    title="Revoke the key",
    consequence="It stops working at once and for ever. Whoever holds it is locked out until it gets a new one.",
    button="Revoke",
    is_dangerous=True,
    asks_reason=True,
)
REVOKE_SEVERAL = replace(
    REVOKE,
    title="Revoke keys",
    consequence="These keys stop working at once and for ever. Whoever holds one of them is locked out until it "
    "gets a new one.",
)
ROTATE = rotation_question(
    title="Rotate the key",
    consequence="A key of the same owner, name and rights takes its place and is shown once, on the next page. Whoever "
    "holds this one needs the new one before it ends. The new key has no end of its own until you give it one.",
)


class PakForm(ServiceForm):
    """The service says what is no end of a key."""

    class Meta:
        model = Pak
        fields = ("name", "is_read_only", "expires_at")
        labels: ClassVar[dict[str, str]] = {"is_read_only": "Only reads", "expires_at": "Ends"}
        help_texts: ClassVar[dict[str, str]] = {
            "name": "Who or what will hold this admin key. The key is shown once, after saving.",
            "is_read_only": "Whoever holds it sees all that an admin sees and changes nothing.",
            "expires_at": "The key ends then, in UTC. Empty: it has no end of its own.",
        }

    def validate_constraints(self) -> None:
        """The service writes what fits the constraints."""


class EndingFilter(admin.SimpleListFilter):
    title = "end"
    parameter_name = "end"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("soon", "Ends soon, and nothing replaces it")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "soon":
            return queryset
        return queryset.filter(pk__in=list(ending_soon(clock.now()).values_list("pk", flat=True)))


class RevokedFilter(MarkFilter):
    title = "revoked"
    parameter_name = "revoked"
    field = "revoked_at"


@admin.register(Pak)
class PakAdmin(ServiceAdmin):
    """Keys of agents and generators are made with their owners; here only admin keys are made."""

    empty_hint = (
        "Agents and generators get keys when they are added. Add a key here for programs of administrators."
    )
    list_display = ("name_line", "role", "owner", "state", "limited_to", "last_used", "created")
    list_filter = ("role", EndingFilter, RevokedFilter)
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("-created_at", "-id")
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")
    form = PakForm
    secret_fields = frozenset({"key_hash", "short_token"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pak]:
        rows = cast(PakQuerySet, super().get_queryset(request))
        return rows.with_usable().defer("key_hash", "short_token")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return PakForm.Meta.fields
        # What the key does not have is left out.
        return (
            "holder",
            "role",
            "owner",
            "state",
            "limited_to",
            *(["limited_stacks"] if obj.limits else []),
            "ends",
            "last_used",
            "created",
            *(["revoked"] if obj.revoked_at else []),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perms(["paks.view_pak"]) or request.user.has_perm("paks.change_pak")

    def has_rotate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.row_of(request, obj)
        is_own = row is None or (self.is_open(row) and bool(row.short_token))
        return request.user.has_perms(["paks.add_pak", "paks.change_pak"]) and is_own

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("paks.change_pak") and self._is_open(request, obj)

    def is_open(self, row: Any) -> bool:
        return bool(row.is_usable)

    def prepare(self, rows: Sequence[Any]) -> None:
        ids: dict[str, set[UUID]] = defaultdict(set)
        for pak in rows:
            if pak.subject_id is not None:
                ids[pak.role].add(pak.subject_id)
        names = {role: subject_names(role, wanted) for role, wanted in ids.items()}
        for pak in rows:
            pak.owner_name = names.get(pak.role, {}).get(pak.subject_id)

    # Not the field itself, which would come with the words for those who add a key.
    @admin.display(description="name")
    def holder(self, pak: Pak) -> str:
        return pak.name

    @admin.display(description="owner")
    def owner(self, pak: Any) -> str | None:
        if pak.role == Role.ADMIN:
            return "administrators"
        # The owner's page is found by the noun of the role, because `paks` may not import the owners' apps.
        models = {model.NOUN: model for model in self.admin_site._registry if hasattr(model, "NOUN")}
        model = models.get(pak.role)
        if model is None or pak.owner_name is None:
            return str(pak.owner_name or "") or None
        return object_link(model, pak.subject_id, pak.owner_name)

    @admin.display(description="state", ordering="ends_at")
    def state(self, pak: Any) -> str:
        return state_badge(pak)

    @admin.display(description="limited to")
    def limited_to(self, pak: Pak) -> str | None:
        return limits_words(pak)

    @admin.display(description="the stacks by id")
    def limited_stacks(self, pak: Pak) -> str | None:
        return badges(pak.limits["stacks"]) if pak.limits else None

    @admin.display(description="ends")
    def ends(self, pak: Pak) -> str | None:
        return f"{pak.ends_at:%Y-%m-%d %H:%M:%S} UTC" if pak.ends_at else None

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, pak: Pak) -> str:
        return use_words(pak)

    @admin.display(description="created", ordering="created_at")
    def created(self, pak: Pak) -> str | None:
        return ago(pak.created_at)

    @admin.display(description="revoked")
    def revoked(self, pak: Pak) -> str | None:
        return ago(pak.revoked_at)

    def create(self, *, values: dict[str, Any], actor: Actor) -> Created:
        return Created(
            *issue_pak(
                role=Role.ADMIN,
                subject_id=None,
                name=values["name"],
                actor=actor,
                expires_at=values["expires_at"],
                is_read_only=values["is_read_only"],
            )
        )

    @detail_action(description="Rotate key", icon="key", question=ROTATE, permission="rotate")
    def rotate(self, request: HttpRequest, pak: Pak) -> HttpResponse:
        new, key = replace_pak(pak_id=pak.pk, actor=admin_actor(request), overlap=chosen_overlap(request))
        return self.show_key(request, new, key)

    @detail_action(description="Revoke", icon="block", question=REVOKE, done="Revoked", permission="revoke")
    def revoke(self, request: HttpRequest, pak: Pak) -> HttpResponse | None:
        revoke_pak(pak_id=pak.pk, actor=admin_actor(request))
        return None

    @bulk_action(
        description="Revoke",
        question=REVOKE_SEVERAL,
        of_one=REVOKE,
        done="Keys revoked",
        permission="revoke",
    )
    def revoke_selected(self, pak: Pak, instruction: Instruction) -> bool:
        revoke_pak(pak_id=pak.pk, actor=instruction.actor)
        return True
