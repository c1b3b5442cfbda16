"""Verification: walks the chain of seals and names the first that does not hold."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Count, Exists, OuterRef

from audit.errors import RangeTooLarge
from audit.event_kinds import AuditEventKind
from audit.exported import exported_key, exported_seal
from audit.models import AuditKey, AuditLog, AuditSeal
from audit.services.retention import expiry_hash
from audit.services.sealing import entries_hash
from audit.services.signing import configured_signers
from audit.verify_export import is_signed, seal_hash, trusted_keys

MOST_SEALS_AT_ONCE = 100
# About half a second; one seal alone never holds more.
MOST_ENTRIES_AT_ONCE = 20_000
_PAGE = 500
# Seals between two words about how far it is.
_REPORTED_EVERY = 20
# The newest says how far retention has come; others are looked at too, because somebody may have added false ones.
_EXPIRIES_LOOKED_AT = 100


class Why(StrEnum):
    """What is wrong with a seal or with its entries."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first seal that does not hold."""

    seal: int
    why: Why
    explanation: str


@dataclass(slots=True)
class Outcome:
    """What was checked, and what was found. `head` is the hash of the newest seal that was checked."""

    seals: int = 0
    entries: int = 0
    erased: int = 0
    head: str = ""
    finding: Finding | None = None


class _Broken(Exception):
    def __init__(self, seal: int, why: Why, explanation: str) -> None:
        self.finding = Finding(seal, why, explanation)


@dataclass(slots=True)
class _Walk:
    """What is known before the walk, and what it has seen."""

    keys: set[str]
    trusted: set[str]
    outcome: Outcome
    # Entries that name a seal and are outside of it, by seal.
    strays: dict[int, int] = field(default_factory=dict)
    # The number and the hash of the seal up to which retention has deleted entries.
    expired: tuple[int, str] = (0, "")
    hashes: set[str] = field(default_factory=set)
    last: AuditSeal | None = None
    # The first seal after the newest one with a trusted key.
    untrusted: AuditSeal | None = None


def verify_chain(
    *,
    trusted: Collection[str] = (),
    expected_hash: str = "",
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Check all seals and entries. `trusted` are public keys; without any, those of the configured keys.

    `expected_hash` must be a seal's. It may take minutes; `progress` is called now and then. Raises SigningKeyMissing
    if there is no key to trust.
    """
    walk = _begin(trusted)
    try:
        walk.strays = _strays()
        walk.expired = _expired(walk)
        for seal in _pages():
            _check_seal(seal, walk)
            _check_entries(seal, walk)
            if walk.outcome.seals % _REPORTED_EVERY == 0:
                progress(walk.outcome)
        _check_end(walk, expected_hash)
    except _Broken as broken:
        walk.outcome.finding = broken.finding
    return walk.outcome


def verify_range(*, first: int, last: int) -> Outcome:
    """Check these seals, their entries, and how they follow on each other.

    Raises RangeTooLarge, SigningKeyMissing.
    """
    if not 0 <= last - first < MOST_SEALS_AT_ONCE:
        raise RangeTooLarge
    seals = list(AuditSeal.objects.filter(number__range=(first - 1, last + 1)).order_by("number"))
    within = [seal for seal in seals if first <= seal.number <= last]
    if sum(seal.entries for seal in within) > MOST_ENTRIES_AT_ONCE:
        raise RangeTooLarge
    walk = _begin(())
    try:
        if not within:
            raise _Broken(first, Why.MISSING, "There is no such seal.")
        walk.expired = _expired(walk)
        for seal in seals:
            _check_seal(seal, walk, is_whole=seal.number == 1)
            if seal in within:
                _check_entries(seal, walk)
    except _Broken as broken:
        walk.outcome.finding = broken.finding
    return walk.outcome


def _begin(trusted: Collection[str]) -> _Walk:
    keys = list(AuditKey.objects.order_by("created_at"))
    trusted = trusted or [signer.public_key for signer in configured_signers()]
    return _Walk(
        keys={key.public_key for key in keys},
        trusted=trusted_keys(trusted, [exported_key(key) for key in keys]),
        outcome=Outcome(),
    )


def _pages() -> Iterator[AuditSeal]:
    number = 0
    while page := list(AuditSeal.objects.filter(number__gt=number).order_by("number")[:_PAGE]):
        yield from page
        number = page[-1].number


def _check_seal(seal: AuditSeal, walk: _Walk, *, is_whole: bool = True) -> None:
    """The seal itself, and how it follows on the one before. With `is_whole` there must be one, but of the first."""
    last = walk.last
    expected = last.number + 1 if last else 1
    if seal.number != expected and (last or is_whole):
        raise _Broken(expected, Why.MISSING, "The seal itself is gone.")
    if seal_hash(exported_seal(seal)) != seal.hash:
        raise _Broken(seal.number, Why.CHANGED, "The seal does not say what it said when it was made.")
    if seal.public_key not in walk.keys or not is_signed(seal.hash, seal.signature, seal.public_key):
        raise _Broken(seal.number, Why.CHANGED, "The seal's signature is not that of one of our keys.")
    if last and seal.previous_hash != last.hash:
        raise _Broken(last.number, Why.CHANGED, "The next seal follows on another one.")
    if seal.public_key in walk.trusted:
        walk.untrusted = None
    else:
        walk.untrusted = walk.untrusted or seal
    walk.hashes |= {seal.hash, seal.lost_head}
    walk.last = seal
    walk.outcome.seals += 1
    walk.outcome.head = seal.hash


def _check_entries(seal: AuditSeal, walk: _Walk) -> None:
    entries = AuditLog.objects.filter(
        sequence__range=(seal.first_sequence, seal.last_sequence), seal=seal.number
    )
    rows = list(entries.order_by("sequence"))
    # Retention may have come since the seal was read.
    if len(rows) < seal.entries and AuditSeal.objects.filter(pk=seal.pk, expired_at__isnull=False).exists():
        _check_expired(seal, list(entries), walk)
        return
    if walk.strays.get(seal.number):
        raise _Broken(seal.number, Why.ADDED, "Entries name this seal that are not within it.")
    if seal.expired_at is not None:
        _check_expired(seal, rows, walk)
        return
    if len(rows) != seal.entries:
        raise _Broken(
            seal.number,
            Why.MISSING if len(rows) < seal.entries else Why.ADDED,
            f"{seal.entries} entries were sealed, and there are {len(rows)}.",
        )
    if entries_hash(rows) != seal.entries_hash:
        raise _Broken(
            seal.number, Why.CHANGED, "Its entries do not say what they said when they were sealed."
        )
    walk.outcome.entries += len(rows)
    walk.outcome.erased += sum(bool(row.erased) for row in rows)


def _check_expired(seal: AuditSeal, rows: list[AuditLog], walk: _Walk) -> None:
    if rows:
        raise _Broken(seal.number, Why.ADDED, "Retention has deleted its entries, and there are some.")
    if seal.number > walk.expired[0]:
        # An entry of retention that was written after the walk began.
        walk.expired = _expired(walk)
    number, hash_ = walk.expired
    if seal.number > number or (seal.number == number and seal.hash != hash_):
        raise _Broken(
            seal.number,
            Why.MISSING,
            "Its entries are gone, and no signed entry of the log says that retention deleted them.",
        )


def _check_end(walk: _Walk, expected_hash: str) -> None:
    following = walk.last.number + 1 if walk.last else 1
    # Seals that were made since the strays were looked for have none.
    unknown = [number for number in walk.strays if number >= following]
    if unknown:
        raise _Broken(min(unknown), Why.MISSING, "Entries name this seal, and it is gone.")
    if walk.untrusted is not None:
        raise _Broken(
            walk.untrusted.number,
            Why.CHANGED,
            f"From here on the key {walk.untrusted.public_key} signs, which no trusted key has signed.",
        )
    if expected_hash and expected_hash not in walk.hashes:
        raise _Broken(
            following, Why.MISSING, f"No seal has the hash {expected_hash}: the newest are cut off."
        )


def _strays() -> dict[int, int]:
    """How many entries name a seal that is not there, or does not reach to them. Reads the whole log once."""
    within = AuditSeal.objects.filter(
        number=OuterRef("seal"),
        first_sequence__lte=OuterRef("sequence"),
        last_sequence__gte=OuterRef("sequence"),
    )
    rows = AuditLog.objects.filter(seal__isnull=False).exclude(Exists(within))
    return dict(rows.order_by().values_list("seal").annotate(entries=Count("pk")))


def _expired(walk: _Walk) -> tuple[int, str]:
    """The newest proof of retention that one of our keys has signed."""
    # The keys of the chain's two ends count, and those that they have signed: the walk checks the seals themselves.
    ends = [AuditSeal.objects.order_by(order).first() for order in ("number", "-number")]
    known = walk.trusted | {seal.public_key for seal in ends if seal is not None}
    keys = trusted_keys(known, [exported_key(key) for key in AuditKey.objects.order_by("created_at")])
    newest = (0, "")
    rows = AuditLog.objects.filter(action=AuditEventKind.AUDIT_EXPIRED).order_by("-timestamp", "-sequence")
    for row in rows[:_EXPIRIES_LOOKED_AT]:
        said = row.details or {}
        number, hash_ = said.get("through_seal"), said.get("through_hash")
        if not isinstance(number, int) or number <= newest[0] or said.get("public_key") not in keys:
            continue
        signed = expiry_hash(through_seal=number, through_hash=str(hash_))
        if is_signed(signed, str(said.get("signature")), said["public_key"]):
            newest = (number, str(hash_))
    return newest
