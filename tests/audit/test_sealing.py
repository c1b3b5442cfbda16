"""How rows of the log come into seals."""

import logging
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.errors import SigningKeyMissing, SigningKeyNotEndorsed
from audit.jobs import seal_entries as seal_job
from audit.models import AuditKey, AuditLog, AuditSeal, SealingState
from audit.services import seal_new_entries, verify_chain
from tests.support.events import notices, recorded_audit, recorded_events
from tests.support.interruptions import killed_after
from tests.support.sealed_log import make_sealed_log, seal_entries, small_seals, write_entry

pytestmark = pytest.mark.django_db


def unsealed() -> int:
    return AuditLog.objects.filter(seal__isnull=True).count()


def test_rows_come_into_seals_in_order_and_each_seal_follows_on_the_last(now):
    for number in range(5):
        write_entry(number)
    with small_seals(2):
        assert seal_new_entries(now=now) == 3
    seals = list(AuditSeal.objects.order_by("number"))
    assert [(seal.number, seal.entries) for seal in seals] == [(1, 2), (2, 2), (3, 1)]
    assert [seal.previous_hash for seal in seals] == ["", seals[0].hash, seals[1].hash]
    assert list(AuditLog.objects.order_by("sequence").values_list("seal", flat=True)) == [1, 1, 2, 2, 3]


def test_a_run_ends_though_entries_come_all_the_time(now):
    written: list[object] = []

    def write_on() -> bool:
        written.append(write_entry())
        return len(written) < 5

    assert seal_new_entries(now=now, may_go_on=write_on) == 1
    assert len(written) == 1


def test_the_job_seals_and_has_nothing_to_do_then():
    write_entry()
    assert [seal_job(), seal_job()] == [1, 0]
    assert unsealed() == 0


def test_a_row_that_commits_within_the_hour_is_sealed_though_later_ones_are():
    first, second = AuditLog.objects.filter(id__in=[write_entry(), write_entry()]).order_by("sequence")
    AuditLog.objects.filter(pk=first.pk).delete()
    assert seal_job() == 1
    first.save(force_insert=True)
    assert seal_job() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.seal, first.seal) == (1, 2)
    assert verify_chain().finding is None


def test_a_row_that_commits_later_than_that_waits_for_the_search_of_the_whole_log(now):
    late = AuditLog.objects.get(id=write_entry())
    AuditLog.objects.filter(pk=late.pk).delete()
    seal_entries(1)
    AuditSeal.objects.update(sealed_at=now - timedelta(hours=2))
    late.save(force_insert=True)
    assert seal_new_entries(now=now) == 0
    assert seal_new_entries(now=now + timedelta(days=2)) == 1
    assert unsealed() == 0


def test_a_death_between_any_two_statements_leaves_a_whole_chain():
    statements = 0
    while True:
        statements += 1
        write_entry(statements)
        before = unsealed()
        with killed_after(statements):
            seal_job()
        if unsealed() == 0 and statements > 1:
            break
        assert unsealed() in {0, before}
        assert verify_chain().finding is None
    assert statements > 4
    assert verify_chain().finding is None
    numbers = list(AuditSeal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_number_is_given_once():
    (seal,) = make_sealed_log(1, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditSeal(**{**_columns(seal), "hash": "0" * 64}).save(force_insert=True)


def _columns(seal: AuditSeal) -> dict[str, object]:
    return {field.attname: getattr(seal, field.attname) for field in seal._meta.concrete_fields}


def test_each_seals_hash_is_logged(caplog, django_capture_on_commit_callbacks):
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        seal = seal_entries(2)
    assert f"audit seal {seal.number} of 2 entries, hash {seal.hash}" in caplog.messages


def test_webhooks_hear_of_a_seal_at_most_once_a_minute_and_it_makes_no_row(now):
    with recorded_events() as events, recorded_audit() as rows:
        for seconds in (0, 30, 59, 60):
            write_entry()
            seal_new_entries(now=now + timedelta(seconds=seconds))
    told = [data for kind, data in notices(events) if kind == "audit.sealed"]
    assert [data["number"] for data in told] == [1, 4]
    assert told[1]["hash"] == AuditSeal.objects.get(number=4).hash
    assert [row.action for row in rows] == ["audit.verified"] * 4


def test_nothing_is_sealed_without_a_key(settings, now):
    settings.AUDIT_SIGNING_KEYS = []
    write_entry()
    with pytest.raises(SigningKeyMissing):
        seal_new_entries(now=now)
    assert unsealed() == 1


def test_the_old_key_signs_the_new_one(settings):
    old = settings.AUDIT_SIGNING_KEYS
    seal_entries(1)
    settings.AUDIT_SIGNING_KEYS = [b"2" * 32, *old]
    seal_entries(1)
    first, second = AuditKey.objects.order_by("created_at")
    assert second.endorsed_by == first.public_key
    assert AuditSeal.objects.get(number=2).public_key == second.public_key
    assert verify_chain(trusted=[first.public_key]).finding is None
    # What follows on it in the chain vouches for the old seal.
    assert verify_chain(trusted=[second.public_key]).finding is None


def test_a_new_key_that_the_old_one_has_not_signed_seals_nothing(settings, now):
    seal_entries(1)
    settings.AUDIT_SIGNING_KEYS = [b"2" * 32]
    write_entry()
    with pytest.raises(SigningKeyNotEndorsed):
        seal_new_entries(now=now)


def test_the_state_of_sealing_is_one_row():
    make_sealed_log(2, 1)
    assert SealingState.objects.count() == 1
