"""Keys that end soon and that nothing replaces: whoever holds one is locked out unless somebody does something."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core.events import SYSTEM, Event, emit
from paks.event_kinds import PakEventKind
from paks.models import Pak, Role
from paks.querysets import PakQuerySet

# So many are announced at once; the others follow with the next run.
_AT_ONCE = 500


def ending_soon(now: datetime) -> PakQuerySet:
    """The usable keys that end within the warning time, but for those of whose owner another key of the same name lasts
    longer and may as much: a key that only reads replaces none that writes, nor one with limits one without.
    """
    # A key that lasts longer than one that works has not ended itself.
    lasting = Pak.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=OuterRef("ends_at")),
        Q(subject_id=OuterRef("subject_id")) | Q(subject_id__isnull=True),
        Q(is_read_only=False) | Q(is_read_only=OuterRef("is_read_only")),
        role=OuterRef("role"),
        name=OuterRef("name"),
        revoked_at__isnull=True,
    )
    until = now + timedelta(days=settings.KEY_WARNING_DAYS)
    is_replaced = Exists(lasting.filter(limits__isnull=True)) | (Q(limits__isnull=False) & Exists(lasting))
    return Pak.objects.usable().filter(~is_replaced, ends_at__lte=until)


@transaction.atomic
def announce_endings(*, now: datetime) -> int:
    """Say of each key that ends soon, once, that it does. Returns the number of keys."""
    waiting = ending_soon(now).filter(end_announced_at__isnull=True).order_by("ends_at", "id")
    mine = [
        pak
        for pak in waiting[:_AT_ONCE]
        # Of two workers one wins each key.
        if Pak.objects.filter(pk=pak.pk, end_announced_at__isnull=True).update(end_announced_at=now)
    ]
    if mine:
        emit(*map(_announcement, mine))
    return len(mine)


def _announcement(pak: Pak) -> Event:
    owner = {} if pak.role == Role.ADMIN else {f"{pak.role}_id": pak.subject_id}
    return Event(
        kind=PakEventKind.PAK_END_ANNOUNCED,
        resource_type="pak",
        resource_id=pak.subject_id or pak.pk,
        actor=SYSTEM,
        details={
            "entity": pak.role,
            "name": pak.name,
            "key_id": str(pak.pk),
            "ends_at": pak.ends_at.isoformat() if pak.ends_at else None,
        },
        data={"key_id": pak.pk, "name": pak.name, "role": pak.role, "ends_at": pak.ends_at, **owner},
    )
