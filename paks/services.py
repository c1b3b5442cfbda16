"""Issues, rotates, revokes and verifies keys. No other module reads or writes the table."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Q, QuerySet

from core import clock
from core.crypto import keyed_digest
from core.database_errors import unavailable
from core.errors import Unauthorized
from core.events import SYSTEM, Actor, Event, emit, with_via
from core.prepared import as_time, as_uuid, fetch_one
from core.validators import is_name
from paks.errors import (
    AmbiguousPak,
    InvalidPak,
    LastAdminPak,
    PakAlreadyRevoked,
    PakConfigured,
    PakNotFound,
)
from paks.event_kinds import PakEventKind
from paks.key_check import GOOD_KEY, key_parameters
from paks.models import Pak, Role
from paks.principals import Principal
from paks.tokens import Token, generate_token, split_token

logger = logging.getLogger(__name__)

# `last_used_at` tells people whether a key is still in use. A write per request would cost too much.
LAST_USED_PRECISION = timedelta(hours=1)
CONFIGURED_NAME = "configured"

# Every request asks it.
_CALLER = "SELECT id, role, subject_id, name, last_used_at FROM paks WHERE " + GOOD_KEY  # noqa: S608  # no input in it


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
    """Issue one more key for the owner. Returns the row and the key's text, which is shown once and never again.

    Raises InvalidPak for an invalid name.
    """
    if not is_name(name):
        raise InvalidPak
    token = new_token()
    pak = Pak.objects.create(
        role=role, subject_id=subject_id, name=name, short_token=token.short, key_hash=token.hash
    )
    details: dict[str, object] = {"entity": role.value, "name": name, "key_id": str(pak.id)}
    _tell(
        PakEventKind.PAK_CREATED, subject_id or pak.id, actor, with_via(details, via), after=_key_words(pak)
    )
    return pak, token.text


@transaction.atomic
def rotate_pak(*, role: Role, subject_id: UUID, name: str, actor: Actor, via: str | None = None) -> str:
    """Revoke every key of the owner and issue a new one. Returns the new key's text.

    The calling code must have locked the owner, so that rotations happen one after another.
    Raises Unauthorized when the caller's own key was rotated away while the request waited.
    """
    now = clock.now()
    if actor.key_id and not Pak.objects.usable().filter(id=actor.key_id).exists():
        raise Unauthorized
    ended = Pak.objects.of_subject(role, subject_id).usable()
    before = {"keys": [_key_words(pak) for pak in ended.order_by("created_at", "id")]}
    ended.update(revoked_at=now)
    token = new_token()
    pak = Pak.objects.create(
        role=role, subject_id=subject_id, name=name, short_token=token.short, key_hash=token.hash
    )
    details: dict[str, object] = {f"{role.value}_name": name}
    emit(
        Event(
            kind=PakEventKind.PAK_ROTATED,
            resource_type=role.value,
            resource_id=subject_id,
            actor=actor,
            details=with_via(details, via),
            before=before,
            after={"keys": [_key_words(pak)]},
        )
    )
    return token.text


@transaction.atomic
def rotate_admin_pak(*, pak_id: UUID, actor: Actor, via: str | None = None) -> tuple[Pak, str]:
    """Replace one admin key by a new one of the same name; the old key ends at once. Returns the row and the key.

    Raises PakNotFound, PakAlreadyRevoked, and PakConfigured for a key that the configuration would bring back.
    """
    old = Pak.objects.filter(id=pak_id, role=Role.ADMIN).first()
    if old is None:
        raise PakNotFound(id=pak_id)
    if not old.short_token:
        raise PakConfigured(id=pak_id)
    _end(old)
    token = new_token()
    pak = Pak.objects.create(role=Role.ADMIN, name=old.name, short_token=token.short, key_hash=token.hash)
    details: dict[str, object] = {
        "entity": "admin",
        "name": pak.name,
        "key_id": str(pak.id),
        "replaced_key_id": str(old.id),
    }
    _tell(
        PakEventKind.PAK_ROTATED,
        pak.id,
        actor,
        with_via(details, via),
        before=_key_words(old),
        after=_key_words(pak),
    )
    return pak, token.text


@transaction.atomic
def revoke_pak(*, pak_id: UUID, actor: Actor, via: str | None = None, spare_last_admin: bool = False) -> Pak:
    """End one key for ever.

    Raises PakNotFound, PakAlreadyRevoked, and, with `spare_last_admin`, LastAdminPak for the last admin key.
    """
    pak = Pak.objects.filter(id=pak_id).first()
    if pak is None:
        raise PakNotFound(id=pak_id)
    if spare_last_admin and pak.role == Role.ADMIN:
        # Locked, so that two of these cannot each spare the other's key and end both.
        admins = Pak.objects.usable().filter(role=Role.ADMIN).order_by("id").select_for_update()
        if {key.id for key in admins} == {pak_id}:
            raise LastAdminPak(id=pak_id)
    _end(pak)
    details: dict[str, object] = {"entity": pak.role, "name": pak.name, "key_id": str(pak.id)}
    _tell(
        PakEventKind.PAK_REVOKED,
        pak.subject_id or pak.id,
        actor,
        with_via(details, via),
        before=_key_words(pak),
    )
    return pak


def _end(pak: Pak) -> None:
    now = clock.now()
    if not Pak.objects.usable().filter(id=pak.id).update(revoked_at=now):
        raise PakAlreadyRevoked(id=pak.id)
    pak.revoked_at = now


def revoke_paks_of(*, role: Role, subject_id: UUID) -> int:
    """Revoke all keys of an owner, in the transaction that deletes the owner. Returns their number."""
    return Pak.objects.of_subject(role, subject_id).usable().update(revoked_at=clock.now())


def principal_for(key: str) -> Principal | None:
    """Whom a key's text identifies, None for nobody. `paks.key_check` says which keys are good."""
    token = split_token(key)
    if token is None:
        return None
    row = fetch_one(_CALLER, key_parameters(token))
    if row is None:
        return None
    key_id, role, subject_id, name, last_used_at = row
    key_id = as_uuid(key_id)
    mark_used(key_id, as_time(last_used_at))
    return Principal(
        role=Role(role),
        subject_id=None if subject_id is None else as_uuid(subject_id),
        key_id=key_id,
        key_name=name,
    )


def mark_used(pak_id: UUID, last_used_at: datetime | None) -> None:
    """Note that the key is in use, given when it was last noted; written at most once per LAST_USED_PRECISION.

    A database that cannot write it now is no reason to refuse the caller.
    """
    now = clock.now()
    if last_used_at is not None and last_used_at >= now - LAST_USED_PRECISION:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
    # A row that somebody else has locked is not waited for.
    free = Pak.objects.filter(stale, id=pak_id).select_for_update(skip_locked=True)
    try:
        with transaction.atomic(savepoint=False):
            Pak.objects.filter(id__in=free.values("id")).update(last_used_at=now)
    except Error as error:
        if unavailable(error) is None:
            raise
        logger.warning("the use of a key was not noted: %s", error)


@transaction.atomic
def ensure_configured_admin(*, key_hash: str, actor: Actor = SYSTEM, via: str | None = None) -> bool:
    """Make the configured hash an admin key. Returns whether that changed anything.

    An earlier configured hash ends, and works again when it is configured again. A key that was revoked by
    hand stays revoked.
    """
    known = Pak.objects.filter(key_hash=key_hash).first()
    configured = Pak.objects.usable().filter(role=Role.ADMIN, short_token="", name=CONFIGURED_NAME).first()
    before = None if configured is None else _key_words(configured)
    after: dict[str, object] | None = None
    if known is None and configured is not None:
        configured.key_hash, configured.last_used_at = key_hash, None
        configured.save(update_fields=["key_hash", "last_used_at"])
        kind, pak, after = PakEventKind.PAK_ROTATED, configured, _key_words(configured)
    elif known is None:
        kind = PakEventKind.PAK_CREATED
        pak = Pak.objects.create(role=Role.ADMIN, name=CONFIGURED_NAME, short_token="", key_hash=key_hash)
        after = _key_words(pak)
    elif configured is not None and configured != known:
        _end(configured)
        kind, pak = PakEventKind.PAK_REVOKED, configured
    else:
        return False
    details: dict[str, object] = {"entity": "admin", "name": pak.name, "key_id": str(pak.id)}
    _tell(kind, pak.id, actor, with_via(details, via), before=before, after=after)
    return True


def any_admin_key() -> bool:
    """Whether an admin key was ever made. If so, a restart makes no further one."""
    return Pak.objects.filter(role=Role.ADMIN).exists()


def usable_admin_key(*, key_hash: str | None = None) -> bool:
    """Whether any admin key works, or, with `key_hash`, whether that one works."""
    admins = Pak.objects.usable().filter(role=Role.ADMIN)
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


def _key_words(pak: Pak) -> dict[str, object]:
    """What the audit log says of a key: of the secret itself only whether it is the same as another."""
    digest = keyed_digest(pak.key_hash, secret=settings.SECRET_KEY.encode(), purpose=b"audited keys")
    return {"key_id": str(pak.id), "name": pak.name, "key": digest}


def _tell(
    kind: PakEventKind,
    resource_id: UUID,
    actor: Actor,
    details: dict[str, object],
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    emit(
        Event(
            kind=kind,
            resource_type="pak",
            resource_id=resource_id,
            actor=actor,
            details=details,
            before=before,
            after=after,
        )
    )
