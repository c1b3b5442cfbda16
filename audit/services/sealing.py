"""Sealing: rows of the log get a number, and what they say goes into a signed hash."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from audit.event_kinds import AuditEventKind
from audit.exported import exported_entry, exported_seal
from audit.models import AuditLog, AuditSeal, SealingState
from audit.services.signing import current_signer
from audit.verify_export import entry_line, seal_hash
from core.events import SYSTEM, Event, emit

logger = logging.getLogger(__name__)

MOST_ENTRIES = 5_000
# A transaction may commit this long after it took its rows' numbers; a search of the whole log finds later ones.
_LATE = timedelta(hours=1)
_SEARCH_ALL_EVERY = timedelta(days=1)
_TELL_EVERY = timedelta(minutes=1)
# Seals made of late rows alone end at an old row, so the newest row is looked for in several.
_LOOKED_BACK = 20


def seal_new_entries(*, now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Seal the rows that have no seal, in seals of at most MOST_ENTRIES; the number of seals. Any number of workers.

    Between two seals it asks whether it may go on.

    Raises SigningKeyMissing, SigningKeyNotEndorsed.
    """
    state, _ = SealingState.objects.get_or_create(pk=1)
    searches_all = state.searched_all_at is None or state.searched_all_at <= now - _SEARCH_ALL_EVERY
    after = 0 if searches_all else highest_sealed(before=now - _LATE)
    seals, is_full = 0, True
    # What is written meanwhile has time until the next run; else a busy log would get a seal for every few entries.
    while is_full and may_go_on():
        seal = _seal_next(after=after, now=now)
        is_full = seal is not None and seal.entries == MOST_ENTRIES
        if seal is not None:
            after = seal.last_sequence
            seals += 1
        if searches_all and not is_full:
            SealingState.objects.filter(pk=1).update(searched_all_at=now)
    return seals


def highest_sealed(*, before: datetime | None = None) -> int:
    """The highest sequence that had a seal then, or has one now; 0 for none."""
    seals = AuditSeal.objects.filter(sealed_at__lt=before) if before else AuditSeal.objects.all()
    newest = seals.order_by("-number").values_list("last_sequence", flat=True)[:_LOOKED_BACK]
    return max(newest, default=0)


def lock_chain() -> SealingState:
    """Wait until no other worker changes the chain. Until the transaction ends, this one alone does."""
    return SealingState.objects.select_for_update().get_or_create(pk=1)[0]


def add_seal(
    *,
    rows: list[AuditLog],
    now: datetime,
    lost_head: str = "",
    may_begin_anew: bool = False,
) -> AuditSeal:
    """Seal these rows, in the order of their sequence. The chain is locked. With `lost_head` it begins a new chain."""
    signer = current_signer(now=now, may_begin_anew=may_begin_anew)
    last = AuditSeal.objects.order_by("-number").first()
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        chain=(last.chain if last else 1) + bool(lost_head),
        previous_hash=last.hash if last else "",
        lost_head=lost_head,
        entries=len(rows),
        first_sequence=rows[0].sequence if rows else 0,
        last_sequence=rows[-1].sequence if rows else 0,
        entries_hash=entries_hash(rows),
        newest_at=max((row.timestamp for row in rows), default=now),
        sealed_at=now,
        public_key=signer.public_key,
    )
    seal.hash = seal_hash(exported_seal(seal))
    seal.signature = signer.sign(seal.hash)
    seal.save(force_insert=True)
    # By number, because rows that committed since they were read must not be among them.
    AuditLog.objects.filter(pk__in=[row.pk for row in rows]).update(seal=seal.number)
    transaction.on_commit(lambda: _log(seal))
    return seal


def entries_hash(rows: list[AuditLog]) -> str:
    """The hash over rows as they are in the database, in this order."""
    return hashlib.sha256(b"".join(entry_line(exported_entry(row)) for row in rows)).hexdigest()


@transaction.atomic
def _seal_next(*, after: int, now: datetime) -> AuditSeal | None:
    state = lock_chain()
    unsealed = AuditLog.objects.filter(seal__isnull=True, sequence__gt=after)
    rows = list(unsealed.order_by("sequence")[:MOST_ENTRIES])
    if not rows:
        return None
    seal = add_seal(rows=rows, now=now)
    if state.told_at is None or state.told_at <= now - _TELL_EVERY:
        SealingState.objects.filter(pk=state.pk).update(told_at=now)
        _tell(seal)
    return seal


def _tell(seal: AuditSeal) -> None:
    # Not audited, or each seal would make a row that needs the next one.
    emit(
        Event(
            kind=AuditEventKind.AUDIT_SEALED,
            resource_type=AuditSeal.NOUN,
            resource_id=None,
            actor=SYSTEM,
            audited=False,
            data={
                "number": seal.number,
                "chain": seal.chain,
                "hash": seal.hash,
                "previous_hash": seal.previous_hash,
                "entries": seal.entries,
                "sealed_at": seal.sealed_at,
                "public_key": seal.public_key,
            },
        )
    )


def _log(seal: AuditSeal) -> None:
    # An anchor outside of the database: whoever cuts the chain off cannot take this line back.
    logger.info("audit seal %d of %d entries, hash %s", seal.number, seal.entries, seal.hash)
