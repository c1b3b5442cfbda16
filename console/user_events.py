"""Audit events about users of the admin site and their groups.

Django's own forms write the tables. These functions record what was written, in the same transaction.
"""

from collections.abc import Sequence

from django.contrib.auth.models import Group, User

from console.event_kinds import SiteEventKind
from core.events import Actor, Event, emit, with_via


def note_user_created(*, user: User, actor: Actor, via: str | None = None) -> None:
    _tell(SiteEventKind.SITE_USER_CREATED, actor, with_via(_facts(user), via))


def note_user_updated(*, user: User, changed: Sequence[str], actor: Actor) -> None:
    """`changed` names the fields, never their values: a password is one of them."""
    _tell(SiteEventKind.SITE_USER_UPDATED, actor, {**_facts(user), "changed": list(changed)})


def note_password_change(*, username: str, actor: Actor, via: str | None = None) -> None:
    _tell(SiteEventKind.SITE_USER_PASSWORD_CHANGED, actor, with_via({"username": username}, via))


def note_user_deleted(*, username: str, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_USER_DELETED, actor, {"username": username})


def note_login(*, username: str, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_USER_LOGGED_IN, actor, {"username": username})


def note_logout(*, username: str, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_USER_LOGGED_OUT, actor, {"username": username})


def note_lock_out(*, typed: str, failures: int, actor: Actor) -> None:
    """`typed` is kept only when it is a user's name: it may be a password typed in the wrong field."""
    is_known = User.objects.filter(username=typed).exists()
    details: dict[str, object] = {"failures": failures, "username": typed if is_known else None}
    _tell(SiteEventKind.SITE_USER_LOCKED_OUT, actor, details)


def note_group_created(*, group: Group, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_GROUP_CREATED, actor, _permissions(group))


def note_group_updated(*, group: Group, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_GROUP_UPDATED, actor, _permissions(group))


def note_group_deleted(*, name: str, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_GROUP_DELETED, actor, {"name": name})


def _facts(user: User) -> dict[str, object]:
    return {
        "username": user.username,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "is_active": user.is_active,
        "is_superuser": user.is_superuser,
    }


def _permissions(group: Group) -> dict[str, object]:
    names = group.permissions.values_list("content_type__app_label", "codename")
    return {"name": group.name, "permissions": sorted(f"{app}.{codename}" for app, codename in names)}


def _tell(kind: SiteEventKind, actor: Actor, details: dict[str, object]) -> None:
    emit(Event(kind=kind, resource_type="system", resource_id=None, actor=actor, details=details))
