"""The pages of users and groups. Django's forms write; every change is audited and says who made it."""

from collections import defaultdict
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from console.groups import GROUPS
from console.rights import grantable_by, grants_more, has_more, held_by
from console.user_events import (
    group_facts,
    note_group_created,
    note_group_deleted,
    note_group_updated,
    note_password_change,
    note_user_created,
    note_user_deleted,
    note_user_updated,
    user_facts,
)
from core.admin import BaseAdmin, admin_actor, ago, badge, badges

admin.site.unregister(User)
admin.site.unregister(Group)


def _user_of(request: HttpRequest) -> User:
    # These pages are shown only to users who have logged in.
    return cast(User, request.user)


class _RightsAdmin(BaseAdmin):
    is_audited = False
    # No bulk actions, because Django's bulk deletion is not one transaction.
    actions = None

    def selectable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    def is_above(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the row holds rights that the current user does not have."""
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or not self.is_above(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not self.is_above(request, obj))


@admin.register(User)
class UserAdmin(DjangoUserAdmin, _RightsAdmin):  # type: ignore[misc,type-arg]  # Django's class takes no parameter at run time
    """Users of the admin site. Their rights come from groups alone, so that it is easy to see what they may do.

    Nobody can give a right they do not have, or change a user who has more rights.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "group_list", "state", "last_seen")
    list_filter = ("is_active", "groups")
    list_filter_submit = False
    search_help_text = "Name or e-mail address"
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_superuser", "groups")}),
        ("History", {"fields": ("last_seen", "joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    filter_horizontal = ("groups",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown: tuple[str, ...] = ("last_seen", "joined")
        if obj is not None and obj.pk == request.user.pk:
            # So that nobody locks themselves out by mistake.
            shown += ("is_active", "is_superuser")
        elif not _user_of(request).is_superuser:
            shown += ("is_superuser",)
        return shown

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = grantable_by(_user_of(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def is_above(self, request: HttpRequest, obj: Any) -> bool:
        # Otherwise somebody could set the password of a user with more rights, and log in as that user.
        return has_more(obj, than=_user_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_oneself = obj is not None and obj.pk == request.user.pk
        return super().has_delete_permission(request, obj) and not is_oneself

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str | None:
        return user.get_full_name() or None

    @admin.display(description="groups")
    def group_list(self, user: User) -> str | None:
        rights = ["superuser"] if user.is_superuser else []
        return badges(rights + sorted(group.name for group in user.groups.all()))

    @admin.display(description="state", ordering="is_active")
    def state(self, user: User) -> str:
        return badge("active", "good") if user.is_active else badge("inactive", "bad")

    @admin.display(description="last login", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return ago(user.last_login) or "never"

    @admin.display(description="created")
    def joined(self, user: User) -> str | None:
        return ago(user.date_joined)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        obj.is_staff = True
        if change:
            obj.facts_before = user_facts(User.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's name
        return super().user_change_password(request, id, form_url)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        note_user_created(user=obj, actor=admin_actor(request))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        changed = [field for part in message for field in part.get("changed", {}).get("fields", [])]
        # Only the password form reports this; the form of the user cannot change a password.
        if changed == ["password"]:
            note_password_change(username=obj.username, actor=admin_actor(request))
            return
        note_user_updated(user=obj, before=obj.facts_before, changed=changed, actor=admin_actor(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for user in queryset:
            note_user_deleted(user=user, actor=admin_actor(request))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, _RightsAdmin):
    """The broker's own three groups are read-only, because every migration writes their rights again."""

    list_display = ("name", "members", "origin")
    search_help_text = "Name"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "rights") if self._is_ours(obj) else ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("rights",)

    @admin.display(description="rights")
    def rights(self, group: Group) -> SafeString:
        """For each kind of row, what the group's members may do with it."""
        by_model: dict[str, list[str]] = defaultdict(list)
        for permission in group.permissions.select_related("content_type").order_by("codename"):
            verb, _, noun = permission.codename.partition("_")
            is_of_model = noun == permission.content_type.model
            by_model[permission.content_type.name].append(verb if is_of_model else permission.codename)
        lines = ((model, ", ".join(verbs).replace("_", " ")) for model, verbs in sorted(by_model.items()))
        return format_html(
            '<dl class="brokkr-rights">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", lines)
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        rows: QuerySet[Group] = super().get_queryset(request)
        return rows.prefetch_related("user_set")

    def is_above(self, request: HttpRequest, obj: Any) -> bool:
        return self._is_ours(obj) or grants_more(obj, than=_user_of(request))

    def _is_ours(self, obj: Any) -> bool:
        return obj is not None and obj.name in GROUPS

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            held = held_by(_user_of(request))
            kwargs["queryset"] = held.filter(group__name=GROUPS[-1]).select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description="members")
    def members(self, group: Group) -> int:
        return len(group.user_set.all())

    @admin.display(description="kept by")
    def origin(self, group: Group) -> str:
        return "the broker" if self._is_ours(group) else "you"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        if change:
            obj.facts_before = group_facts(Group.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        note_group_created(group=obj, actor=admin_actor(request))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        note_group_updated(group=obj, before=obj.facts_before, actor=admin_actor(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for group in queryset:
            note_group_deleted(group=group, actor=admin_actor(request))
