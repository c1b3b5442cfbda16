"""Retention of sealed rows."""

from datetime import timedelta

import pytest

from audit.models import AuditLog, AuditSeal
from audit.services import Why, delete_old_entries, seal_new_entries, verify_chain
from tests.support.interruptions import killed_after
from tests.support.sealed_log import make_sealed_log, seal_entries, write_entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_and_new(now) -> None:
    AuditLog.objects.all().delete()
    seal_entries(2, at=now - timedelta(days=92))
    seal_entries(2, at=now - timedelta(days=91))
    seal_entries(2, at=now)


def test_the_rows_of_old_seals_go_and_the_chain_holds(old_and_new, now):
    assert delete_old_entries(now=now) == 4
    assert list(AuditSeal.objects.order_by("number").values_list("expired_at", flat=True)) == [now, now, None]
    assert list(AuditLog.objects.order_by("sequence").values_list("seal", flat=True)) == [3, 3, None]
    row = AuditLog.objects.get(action="audit.expired")
    assert (row.details["through_seal"], row.details["entries"]) == (2, 4)
    assert verify_chain().finding is None
    seal_new_entries(now=now)
    outcome = verify_chain()
    assert (outcome.finding, outcome.entries) == (None, 3)


def test_a_seal_goes_by_its_newest_row(now):
    AuditLog.objects.all().delete()
    write_entry(at=now - timedelta(days=100))
    seal_entries(1, at=now - timedelta(days=89))
    assert delete_old_entries(now=now) == 0


def test_the_entry_of_retention_must_be_signed(old_and_new, now):
    delete_old_entries(now=now)
    row = AuditLog.objects.get(action="audit.expired")
    row.details["signature"] = "0" * 128
    row.save()
    finding = verify_chain().finding
    assert finding is not None
    assert (finding.seal, finding.why) == (1, Why.MISSING)


def test_a_row_in_an_expired_seal_was_added(old_and_new, now):
    row = AuditLog.objects.filter(seal=1)[0]
    delete_old_entries(now=now)
    row.save(force_insert=True)
    finding = verify_chain().finding
    assert finding is not None
    assert (finding.seal, finding.why) == (1, Why.ADDED)


def test_retention_that_dies_anywhere_leaves_what_verifies(old_and_new, now):
    for statements in range(1, 30):
        with killed_after(statements):
            delete_old_entries(now=now)
        assert verify_chain().finding is None
    assert AuditSeal.objects.filter(expired_at__isnull=False).count() == 2


def test_an_entry_of_retention_is_itself_deleted_one_day(now, settings):
    make_sealed_log(1, 1)
    later = now
    for _ in range(4):
        later += timedelta(days=200)
        delete_old_entries(now=later)
        seal_new_entries(now=later)
        assert verify_chain().finding is None
    assert AuditLog.objects.count() <= 2
