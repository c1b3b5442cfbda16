"""Whatever is done to sealed rows or to seals: verification names the seal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from audit.models import AuditKey, AuditLog, AuditSeal
from audit.services import Finding, Why, verify_chain, verify_range
from audit.services.signing import Signer
from tests.support.sealed_log import make_sealed_log, seal_entries

pytestmark = pytest.mark.django_db

SEALS, ENTRIES = 4, 3

# A value that the column does not have, for every column that a seal covers.
_OTHER: dict[str, Callable[[Any], Any]] = {
    "id": lambda _: uuid7(),
    "timestamp": lambda old: old.replace(microsecond=(old.microsecond + 1) % 1_000_000),
    "created_at": lambda old: old.replace(microsecond=(old.microsecond + 1) % 1_000_000),
    "actor_type": lambda _: "system",
    "actor_id": lambda _: uuid7(),
    "actor_label": lambda old: old + "x",
    "key_id": lambda _: uuid7(),
    "action": lambda old: old + "x",
    "resource_type": lambda old: old + "x",
    "resource_id": lambda _: None,
    "details": lambda old: {**old, "number": -1},
    "before": lambda _: None,
    "after": lambda old: {**old, "more": True},
    "reason": lambda old: old + "x",
    "ip_address": lambda _: None,
    "user_agent": lambda old: old + "x",
    "request_id": lambda old: old + "x",
    "author_salt": lambda _: uuid7(),
    "content_salt": lambda _: uuid7(),
    "erased": lambda _: {"author": "0" * 64},
}
_OTHER_SEAL: dict[str, Callable[[Any], Any]] = {
    "chain": lambda old: old + 1,
    "previous_hash": lambda _: "0" * 64,
    "lost_head": lambda _: "0" * 64,
    "entries": lambda old: old + 1,
    "first_sequence": lambda old: old + 1,
    "last_sequence": lambda old: old + 1,
    "entries_hash": lambda _: "0" * 64,
    "newest_at": lambda old: old.replace(microsecond=(old.microsecond + 1) % 1_000_000),
    "sealed_at": lambda old: old.replace(microsecond=(old.microsecond + 1) % 1_000_000),
    "public_key": lambda _: "0" * 64,
    "hash": lambda _: "0" * 64,
    "signature": lambda _: "0" * 128,
}


@pytest.fixture
def seals() -> list[AuditSeal]:
    return make_sealed_log(SEALS, ENTRIES)


class _UndoneError(Exception):
    pass


def found_after(tamper: Callable[[], object]) -> Finding | None:
    """What verification says of a log that was tampered with; then the log is as it was."""
    try:
        with transaction.atomic():
            tamper()
            finding = verify_chain().finding
            raise _UndoneError
    except _UndoneError:
        return finding


def entry(seal: int, place: int) -> AuditLog:
    return AuditLog.objects.filter(seal=seal).order_by("sequence")[place]


numbers = st.integers(1, SEALS)
places = st.integers(0, ENTRIES - 1)
few = settings(max_examples=12)


def test_what_was_not_touched_holds(seals):
    outcome = verify_chain(expected_hash=seals[1].hash)
    assert outcome.finding is None
    assert (outcome.seals, outcome.entries, outcome.head) == (SEALS, SEALS * ENTRIES, seals[-1].hash)


@pytest.mark.parametrize("column", sorted(_OTHER))
@given(number=numbers, place=places)
@settings(few, max_examples=3)
def test_a_changed_row_is_named(seals, column: str, number: int, place: int):
    row = entry(number, place)
    value = _OTHER[column](getattr(row, column))
    finding = found_after(lambda: AuditLog.objects.filter(pk=row.pk).update(**{column: value}))
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.CHANGED)


@given(number=numbers, place=places)
@few
def test_a_removed_row_is_named(seals, number: int, place: int):
    finding = found_after(entry(number, place).delete)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.MISSING)


@given(number=numbers, place=places, where=st.sampled_from([-1_000, 0, 1_000]))
@few
def test_an_added_row_is_named(seals, number: int, place: int, where: int):
    row = entry(number, place)
    # Within the seal there is no sequence left unless another row has made room for it.
    sequence = row.sequence + where if where else entry(SEALS, ENTRIES - 1).sequence + 1

    def add() -> None:
        row.pk, row.id = sequence, uuid7()
        row.save(force_insert=True)

    finding = found_after(add)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.ADDED)


@given(number=numbers, place=st.integers(0, ENTRIES - 2))
@few
def test_rows_in_another_order_are_named(seals, number: int, place: int):
    one, two = entry(number, place), entry(number, place + 1)

    def swap() -> None:
        for pk, new in ((one.pk, -1), (two.pk, one.pk), (-1, two.pk)):
            AuditLog.objects.filter(pk=pk).update(sequence=new)

    finding = found_after(swap)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.CHANGED)


@given(number=numbers, other=numbers, place=places)
@few
def test_a_row_that_was_put_into_another_seal_or_none_is_missed(seals, number, other, place):
    row = entry(number, place)
    to = None if other == number else other
    finding = found_after(lambda: AuditLog.objects.filter(pk=row.pk).update(seal=to))
    assert finding is not None
    assert finding.seal in ({number} if to is None else {min(number, to)})


@pytest.mark.parametrize("column", sorted(_OTHER_SEAL))
@given(number=numbers)
@settings(few, max_examples=3)
def test_a_changed_seal_is_named(seals, column: str, number: int):
    seal = AuditSeal.objects.get(number=number)
    value = _OTHER_SEAL[column](getattr(seal, column))
    finding = found_after(lambda: AuditSeal.objects.filter(pk=number).update(**{column: value}))
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.CHANGED)


@given(number=numbers)
@few
def test_a_removed_seal_is_named_though_its_rows_are_there(seals, number: int):
    finding = found_after(AuditSeal.objects.filter(pk=number).delete)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.MISSING)


@given(number=st.integers(1, SEALS - 1))
@few
def test_a_seal_that_was_removed_with_its_rows_is_named(seals, number: int):
    def remove() -> None:
        AuditLog.objects.filter(seal=number).delete()
        AuditSeal.objects.filter(pk=number).delete()

    finding = found_after(remove)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.MISSING)


@given(number=numbers)
@few
def test_rows_that_are_said_to_have_expired_are_missed(seals, number: int, now):
    def expire() -> None:
        AuditLog.objects.filter(seal=number).delete()
        AuditSeal.objects.filter(pk=number).update(expired_at=now)

    finding = found_after(expire)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.MISSING)


@given(number=st.integers(1, SEALS - 1))
@few
def test_a_seal_that_somebody_made_anew_with_a_key_of_his_own_is_named(seals, number: int, settings):
    own = settings.AUDIT_SIGNING_KEYS

    def forge() -> None:
        AuditSeal.objects.filter(number__gte=number).delete()
        AuditLog.objects.filter(seal__gte=number).update(seal=None, reason="something else")
        settings.AUDIT_SIGNING_KEYS = [b"9" * 32]
        public_key = Signer(b"9" * 32).public_key
        AuditKey.objects.create(public_key=public_key, created_at=seals[0].sealed_at)
        seal_entries(1)
        settings.AUDIT_SIGNING_KEYS = own

    finding = found_after(forge)
    assert finding is not None
    assert (finding.seal, finding.why) == (number, Why.CHANGED)


def test_newest_seals_that_were_cut_off_with_their_rows_show_against_a_hash_kept_outside(seals):
    def cut() -> None:
        AuditLog.objects.filter(seal=SEALS).delete()
        AuditSeal.objects.filter(pk=SEALS).delete()

    assert found_after(cut) is None
    cut()
    finding = verify_chain(expected_hash=seals[-1].hash).finding
    assert finding is not None
    assert (finding.seal, finding.why) == (SEALS, Why.MISSING)


def test_a_range_is_checked_with_the_seals_beside_it(seals):
    AuditLog.objects.filter(seal=1).update(reason="x")
    assert verify_range(first=2, last=3).finding is None
    finding = verify_range(first=1, last=2).finding
    assert finding is not None
    assert (finding.seal, finding.why) == (1, Why.CHANGED)
    AuditSeal.objects.filter(pk=3).update(entries=1)
    finding = verify_range(first=4, last=4).finding
    assert finding is not None
    assert (finding.seal, finding.why) == (3, Why.CHANGED)
