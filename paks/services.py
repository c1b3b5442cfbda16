"""Issues, rotates and revokes keys. `paks.callers` notes their use; nothing else writes the table."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Least

from core import clock
from core.crypto import keyed_digest
from core.errors import Unauthorized
from core.events import SYSTEM, Actor, Event, emit, with_via
from core.validators import is_name
from paks.errors import (
    InvalidKeyExpiry,
    InvalidKeyOverlap,
    InvalidPak,
    LastAdminPak,
    PakAlreadyRevoked,
    PakConfigured,
    PakNotFound,
)
from paks.event_kinds import PakEventKind
from paks.limits import Limits
from paks.models import Pak, Role
from paks.tokens import Token, generate_token

CONFIGURED_NAME = "configured"
# For how long a key may work on beside the one that replaces it.
LONGEST_OVERLAP: Final = timedelta(days=7)
LONGEST_LIFE: Final = timedelta(days=3650)


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
    *,
    role: Role,
    subject_id: UUID | None,
    name: str,
    actor: Actor,
    via: str | None = None,
    expires_at: datetime | None = None,
    is_read_only: bool = False,
    limits: Limits | None = None,
) -> tuple[Pak, str]:
    """Issue one more key for the owner. Returns the row and the key's text, which is shown once and never again.

    `is_read_only` is for admin keys, `limits` are for those of generators. Raises InvalidPak for an invalid name,
    InvalidKeyExpiry.
    """
    if not is_name(name):
        raise InvalidPak
    pak, text = _create(
        role=role,
        subject_id=subject_id,
        name=name,
        expires_at=_checked_expiry(expires_at),
        is_read_only=is_read_only,
        limits=limits.as_json() if limits else None,
    )
    _tell(PakEventKind.PAK_CREATED, pak, actor, via, after=_key_words(pak))
    return pak, text


@transaction.atomic
def rotate_pak(
    *,
    role: Role,
    subject_id: UUID,
    name: str,
    actor: Actor,
    via: str | None = None,
    overlap: timedelta = timedelta(0),
) -> str:
    """Issue a new key for the owner and end its others after `overlap`. Returns the new key's text.

    Keys with limits are not touched: each of them is replaced by itself (`replace_pak`). A key that replaces itself
    gets a new one that lasts no longer than it was to last.

    The calling code must have locked the owner, so that rotations happen one after another.
    Raises InvalidKeyOverlap, and Unauthorized when the caller's own key was rotated away while the request waited.
    """
    _check_overlap(overlap)
    own = Pak.objects.usable().filter(id=actor.key_id).first() if actor.key_id else None
    if actor.key_id and own is None:
        raise Unauthorized
    ended = Pak.objects.of_subject(role, subject_id).usable().filter(limits__isnull=True)
    before = {"keys": [_key_words(pak) for pak in ended.order_by("created_at", "id")]}
    _end_all(ended, overlap)
    replaces_itself = own is not None and (own.role, own.subject_id) == (role, subject_id)
    pak, text = _create(
        role=role,
        subject_id=subject_id,
        name=name,
        expires_at=own.expires_at if own is not None and replaces_itself else None,
    )
    details: dict[str, object] = {f"{role.value}_name": name} | _overlap_words(overlap)
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
    return text


@transaction.atomic
def replace_pak(
    *,
    pak_id: UUID,
    actor: Actor,
    via: str | None = None,
    role: Role | None = None,
    overlap: timedelta = timedelta(0),
    expires_at: datetime | None = None,
) -> tuple[Pak, str]:
    """Replace one key by a new one of the same owner, name and rights; the old key ends after `overlap`.

    The new key has no expiry but `expires_at`. With `role`, only a key of that role is meant. Returns the row and the
    key. Raises PakNotFound, PakAlreadyRevoked, InvalidKeyOverlap, InvalidKeyExpiry, and PakConfigured for a key that
    the configuration would bring back.
    """
    _check_overlap(overlap)
    # Locked, so that of two replacements at once the second sees what the first has done.
    old = Pak.objects.select_for_update().filter(id=pak_id).first()
    if old is None or (role is not None and old.role != role):
        raise PakNotFound(id=pak_id)
    if not old.short_token:
        raise PakConfigured(id=pak_id)
    if not _end_all(Pak.objects.filter(id=pak_id).usable(), overlap):
        raise _over(old)
    pak, text = _create(
        role=Role(old.role),
        subject_id=old.subject_id,
        name=old.name,
        expires_at=_checked_expiry(expires_at),
        is_read_only=old.is_read_only,
        limits=old.limits,
    )
    further = {"replaced_key_id": str(old.id)} | _overlap_words(overlap)
    _tell(PakEventKind.PAK_ROTATED, pak, actor, via, further, before=_key_words(old), after=_key_words(pak))
    return pak, text


@transaction.atomic
def set_expiry(*, pak_id: UUID, expires_at: datetime | None, actor: Actor, via: str | None = None) -> Pak:
    """Let a key end at another time, or at none. A key that has been replaced ends with its overlap at the latest.

    Raises PakNotFound, PakAlreadyRevoked, InvalidKeyExpiry.
    """
    pak = Pak.objects.select_for_update().filter(id=pak_id).first()
    if pak is None:
        raise PakNotFound(id=pak_id)
    if not Pak.objects.filter(id=pak_id).usable().exists():
        raise _over(pak)
    before = _key_words(pak)
    overlap_ends_at = pak.ends_at if pak.is_replaced else None
    pak.expires_at = _checked_expiry(expires_at)
    ends = [overlap_ends_at, pak.expires_at]
    pak.ends_at = min((end for end in ends if end is not None), default=None)
    pak.end_announced_at = None
    pak.save(update_fields=["expires_at", "ends_at", "end_announced_at"])
    _tell(PakEventKind.PAK_EXPIRY_CHANGED, pak, actor, via, before=before, after=_key_words(pak))
    return pak


def _create(
    *,
    role: Role,
    subject_id: UUID | None,
    name: str,
    expires_at: datetime | None,
    is_read_only: bool = False,
    limits: dict[str, list[str]] | None = None,
) -> tuple[Pak, str]:
    token = new_token()
    pak = Pak.objects.create(
        role=role,
        subject_id=subject_id,
        name=name,
        short_token=token.short,
        key_hash=token.hash,
        ends_at=expires_at,
        expires_at=expires_at,
        is_read_only=is_read_only,
        limits=limits,
    )
    return pak, token.text


def _end_all(paks: QuerySet[Pak], overlap: timedelta) -> int:
    """End usable keys after the overlap; none of them lasts longer than it would have. Returns their number."""
    if not overlap:
        return paks.update(revoked_at=clock.now())
    ends_at = clock.now().replace(microsecond=0) + overlap
    return paks.update(ends_at=Least(Coalesce(F("ends_at"), ends_at), ends_at))


def _check_overlap(overlap: timedelta) -> None:
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidKeyOverlap(longest_seconds=int(LONGEST_OVERLAP.total_seconds()))


def _checked_expiry(expires_at: datetime | None) -> datetime | None:
    """The moment in whole seconds. Raises InvalidKeyExpiry."""
    if expires_at is None:
        return None
    now = clock.now()
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidKeyExpiry
    return expires_at.replace(microsecond=0)


def _overlap_words(overlap: timedelta) -> dict[str, object]:
    return {"overlap_seconds": int(overlap.total_seconds())} if overlap else {}


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
        admins = Pak.objects.usable().administering().order_by("id").select_for_update()
        if {key.id for key in admins} == {pak_id}:
            raise LastAdminPak(id=pak_id)
    _end(pak)
    _tell(PakEventKind.PAK_REVOKED, pak, actor, via, before=_key_words(pak))
    return pak


def _end(pak: Pak) -> None:
    now = clock.now()
    if not Pak.objects.usable().filter(id=pak.id).update(revoked_at=now):
        raise _over(pak)
    pak.revoked_at = now


def _over(pak: Pak) -> PakAlreadyRevoked:
    words = "The key has ended already." if pak.revoked_at is None else None
    return PakAlreadyRevoked(words, id=pak.id)


def revoke_paks_of(*, role: Role, subject_id: UUID) -> int:
    """Revoke all keys of an owner, in the transaction that deletes the owner. Returns their number."""
    return Pak.objects.of_subject(role, subject_id).usable().update(revoked_at=clock.now())


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
    _tell(kind, pak, actor, via, before=before, after=after)
    return True


def _key_words(pak: Pak) -> dict[str, object]:
    """What the audit log says of a key: of the secret itself only whether it is the same as another."""
    digest = keyed_digest(pak.key_hash, secret=settings.SECRET_KEY.encode(), purpose=b"audited keys")
    words: dict[str, object] = {"key_id": str(pak.id), "name": pak.name, "key": digest}
    if pak.expires_at is not None:
        words["expires_at"] = pak.expires_at.isoformat()
    if pak.is_read_only:
        words["is_read_only"] = True
    if pak.limits:
        words["limits"] = pak.limits
    return words


def _tell(
    kind: PakEventKind,
    pak: Pak,
    actor: Actor,
    via: str | None,
    further: dict[str, object] | None = None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Tell of a key. `further` are details beside those that every event of a key has."""
    details: dict[str, object] = {"entity": pak.role, "name": pak.name, "key_id": str(pak.id)}
    emit(
        Event(
            kind=kind,
            resource_type="pak",
            resource_id=pak.subject_id or pak.id,
            actor=actor,
            details=with_via(details | (further or {}), via),
            before=before,
            after=after,
        )
    )
