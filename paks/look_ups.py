"""Finds keys for people and commands."""

from uuid import UUID

from django.db.models import QuerySet

from paks.errors import AmbiguousPak, PakNotFound
from paks.models import Pak, Role


def any_admin_key() -> bool:
    """Whether a key that can administer was ever made. If so, a restart makes no further one."""
    return Pak.objects.administering().exists()


def usable_admin_key(*, key_hash: str | None = None) -> bool:
    """Whether any key works that can administer, or, with `key_hash`, whether that one works."""
    admins = Pak.objects.usable().administering()
    return (admins.filter(key_hash=key_hash) if key_hash else admins).exists()


def listed_paks(*, role: Role | None = None, include_revoked: bool = False) -> QuerySet[Pak]:
    """Keys for people to look through, oldest first."""
    paks = Pak.objects.all() if include_revoked else Pak.objects.usable()
    return (paks.filter(role=role) if role else paks).order_by("created_at", "id")


def find_admin_pak(*, name: str) -> Pak:
    """The usable admin key of that name. Raises PakNotFound, AmbiguousPak."""
    return _only(Pak.objects.usable().filter(role=Role.ADMIN, name=name), name=name)


def find_pak(*, short_token: str) -> Pak:
    """The usable key with that second part. Raises PakNotFound, AmbiguousPak."""
    # Keys that are known only by hash have an empty short token, which identifies none of them.
    return _only(
        Pak.objects.usable().filter(short_token=short_token).exclude(short_token=""), short_token=short_token
    )


def newest_pak_of(*, role: Role, subject_id: UUID) -> Pak:
    """The newest usable key of the owner. Raises PakNotFound."""
    pak = Pak.objects.of_subject(role, subject_id).usable().order_by("-created_at", "-id").first()
    if pak is None:
        raise PakNotFound(subject_id=subject_id)
    return pak


def _only(paks: QuerySet[Pak], **asked: str) -> Pak:
    found = list(paks.order_by("created_at", "id"))
    if not found:
        raise PakNotFound(None, **asked)
    if len(found) > 1:
        raise AmbiguousPak(None, **asked, ids=[str(pak.id) for pak in found])
    return found[0]
