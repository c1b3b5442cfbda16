"""Several workers that seal the same log at once, while others write it, on PostgreSQL."""

import pytest
from django.utils import timezone

from audit.models import AuditLog, AuditSeal
from audit.services import seal_new_entries, verify_chain
from tests.support.sealed_log import small_seals, write_entry
from tests.support.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]

WRITERS, ROWS = 2, 25


def write() -> int:
    for number in range(ROWS):
        write_entry(number)
    return 0


def seal() -> int:
    return sum(seal_new_entries(now=timezone.now()) for _ in range(10))


def test_two_workers_seal_without_a_gap_and_without_a_fork():
    with small_seals(3):
        made = together(*[write] * WRITERS, seal, seal)
        seal()
    seals = list(AuditSeal.objects.order_by("number"))
    assert [seal.number for seal in seals] == list(range(1, len(seals) + 1))
    assert sum(made) <= len(seals)
    assert sum(seal.entries for seal in seals) == AuditLog.objects.count() == WRITERS * ROWS
    assert not AuditLog.objects.filter(seal__isnull=True).exists()
    assert verify_chain().finding is None


def test_the_first_seal_is_made_once():
    write()
    assert sorted(together(*[lambda: seal_new_entries(now=timezone.now())] * 4)) == [0, 0, 0, 1]
