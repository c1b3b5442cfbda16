"""Audit events about users of the admin site and their groups.

Django's own forms write the tables. These functions record what was written, in the same transaction.
"""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, User

from console.event_kinds import SiteEventKind
from core.events import Actor, Event, emit, with_via


def note_user_created(*, user: User, actor: Actor, via: str | None = None) -> None:
    facts = user_facts(user)
    _tell(SiteEventKind.SITE_USER_CREATED, actor, with_via(facts, via), after=facts)


def note_user_updated(
    *, user: User, before: Mapping[str, object], changed: Sequence[str], actor: Actor
) -> None:
    """`changed` names the fields, never their values: a password is one of them. `before` are the `user_facts`."""
    facts = user_facts(user)
    old, new = _differing(before, facts)
    details: dict[str, object] = {**facts, "changed": list(changed)}
    _tell(SiteEventKind.SITE_USER_UPDATED, actor, details, before=old, after=new)


def note_password_change(*, username: str, actor: Actor, via: str | None = None) -> None:
    _tell(SiteEventKind.SITE_USER_PASSWORD_CHANGED, actor, with_via({"username": username}, via))


def note_user_deleted(*, user: User, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_USER_DELETED, actor, {"username": user.username}, before=user_facts(user))


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
    facts = group_facts(group)
    _tell(SiteEventKind.SITE_GROUP_CREATED, actor, facts, after=facts)


def note_group_updated(*, group: Group, before: Mapping[str, object], actor: Actor) -> None:
    """`before` are the `group_facts`."""
    facts = group_facts(group)
    old, new = _differing(before, facts)
    _tell(SiteEventKind.SITE_GROUP_UPDATED, actor, facts, before=old, after=new)


def note_group_deleted(*, group: Group, actor: Actor) -> None:
    _tell(SiteEventKind.SITE_GROUP_DELETED, actor, {"name": group.name}, before=group_facts(group))


def user_facts(user: User) -> dict[str, object]:
    """What the audit log says of a user."""
    return {
        "username": user.username,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "is_active": user.is_active,
        "is_superuser": user.is_superuser,
    }


def group_facts(group: Group) -> dict[str, object]:
    """What the audit log says of a group."""
    names = group.permissions.values_list("content_type__app_label", "codename")
    return {"name": group.name, "permissions": sorted(f"{app}.{codename}" for app, codename in names)}


def _differing(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    names = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def _tell(
    kind: SiteEventKind,
    actor: Actor,
    details: dict[str, object],
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="system",
            resource_id=None,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
