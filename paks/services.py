"""Issuing, rotating, revoking and verifying keys. Nothing else reads or writes the table."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.errors import Unauthorized
from core.events import SYSTEM, Actor, Event, emit
from core.validators import is_name
from paks.errors import InvalidPak, PakAlreadyRevoked, PakNotFound
from paks.models import Pak, Role
from paks.principals import Principal
from paks.tokens import Token, generate_token, split_token

# `last_used_at` is for people who ask whether a key is still in use; a write per request would be too dear.
LAST_USED_PRECISION = timedelta(hours=1)
CONFIGURED_NAME = "configured"


def new_token() -> Token:
    """A fresh key in the configured format; not stored."""
    return generate_token(
        prefix=settings.PAK_PREFIX,
        short_prefix=settings.PAK_SHORT_TOKEN_PREFIX,
        short_length=settings.PAK_SHORT_TOKEN_LENGTH,
        long_bytes=settings.PAK_LONG_TOKEN_LENGTH,
    )


@transaction.atomic
def issue_pak(
    *, role: Role, subject_id: UUID | None, name: str, actor: Actor, via: str | None = None
) -> tuple[Pak, str]:
    """A new key beside those the owner has; the row and the key's text, which is shown once and never again.

    Raises InvalidPak when the name is none.
    """
    if not is_name(name):
        raise InvalidPak
    token = new_token()
    pak = Pak.objects.create(
        role=role, subject_id=subject_id, name=name, short_token=token.short, key_hash=token.hash
    )
    details: dict[str, object] = {"entity": role.value, "name": name, "key_id": str(pak.id)}
    _tell("pak.created", subject_id or pak.id, actor, details | ({"via": via} if via else {}))
    return pak, token.text


@transaction.atomic
def rotate_pak(*, role: Role, subject_id: UUID, name: str, actor: Actor, via: str | None = None) -> str:
    """Revoke every key of the owner and issue one; the new key's text.

    The caller has locked the owner, so rotations happen one after another.
    Raises Unauthorized when the caller's own key was rotated away while the request waited.
    """
    now = timezone.now()
    if actor.key_id and not Pak.objects.usable().filter(id=actor.key_id).exists():
        raise Unauthorized
    Pak.objects.of_subject(role, subject_id).usable().update(revoked_at=now)
    token = new_token()
    Pak.objects.create(
        role=role, subject_id=subject_id, name=name, short_token=token.short, key_hash=token.hash
    )
    details: dict[str, object] = {f"{role.value}_name": name}
    emit(
        Event(
            kind="pak.rotated",
            resource_type=role.value,
            resource_id=subject_id,
            actor=actor,
            details=details | ({"via": via} if via else {}),
        )
    )
    return token.text


@transaction.atomic
def revoke_pak(*, pak_id: UUID, actor: Actor) -> Pak:
    """End one key for ever. Raises PakNotFound, PakAlreadyRevoked."""
    pak = Pak.objects.filter(id=pak_id).first()
    if pak is None:
        raise PakNotFound(id=pak_id)
    now = timezone.now()
    if not Pak.objects.usable().filter(id=pak_id).update(revoked_at=now):
        raise PakAlreadyRevoked(id=pak_id)
    pak.revoked_at = now
    _tell(
        "pak.revoked",
        pak.subject_id or pak.id,
        actor,
        {"entity": pak.role, "name": pak.name, "key_id": str(pak.id)},
    )
    return pak


def revoke_paks_of(*, role: Role, subject_id: UUID) -> int:
    """End all keys of an owner that is being deleted, in the deleter's transaction; the number ended."""
    return Pak.objects.of_subject(role, subject_id).usable().update(revoked_at=timezone.now())


def principal_for(key: str) -> Principal | None:
    """Whom a key's text identifies, None for nobody. The only place that verifies a key.

    The hash of a 192-bit random secret finds the row; the short token must fit too, unless only the hash is known.
    """
    token = split_token(key)
    if token is None:
        return None
    pak = (
        Pak.objects.usable()
        .filter(key_hash=token.hash)
        .only("id", "role", "subject_id", "name", "short_token", "last_used_at")
        .first()
    )
    if pak is None or (pak.short_token and pak.short_token != token.short):
        return None
    mark_used(pak.id, pak.last_used_at)
    return Principal(role=Role(pak.role), subject_id=pak.subject_id, key_id=pak.id, key_name=pak.name)


def mark_used(pak_id: UUID, last_used_at: datetime | None) -> None:
    """Note that the key is in use, given when it was last noted; written at most once per LAST_USED_PRECISION."""
    now = timezone.now()
    if last_used_at is None or last_used_at < now - LAST_USED_PRECISION:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
        Pak.objects.filter(stale, id=pak_id).update(last_used_at=now)


@transaction.atomic
def ensure_configured_admin(*, key_hash: str) -> bool:
    """Make the configured hash an admin key; whether that changed anything.

    An earlier configured hash ends. A key that was revoked by hand stays revoked.
    """
    if Pak.objects.filter(key_hash=key_hash).exists():
        return False
    earlier = Pak.objects.usable().filter(role=Role.ADMIN, short_token="", name=CONFIGURED_NAME)
    earlier.update(revoked_at=timezone.now())
    pak = Pak.objects.create(role=Role.ADMIN, name=CONFIGURED_NAME, short_token="", key_hash=key_hash)
    _tell("pak.created", pak.id, SYSTEM, {"entity": "admin", "name": pak.name})
    return True


def any_admin_key() -> bool:
    """Whether an admin key was ever made, so that a restart never mints another."""
    return Pak.objects.filter(role=Role.ADMIN).exists()


def _tell(kind: str, resource_id: UUID, actor: Actor, details: dict[str, object]) -> None:
    emit(Event(kind=kind, resource_type="pak", resource_id=resource_id, actor=actor, details=details))
