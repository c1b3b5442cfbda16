"""Old entries of the audit log go; younger ones stay as they were written."""

from datetime import timedelta

import pytest

from audit.jobs import forget_old_entries
from audit.models import AuditLog
from audit.services import delete_old_entries
from tests.factories import make_stack

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _entries():
    make_stack()


def test_entries_older_than_ninety_days_are_deleted_and_others_are_not(now):
    AuditLog.objects.update(timestamp=now - timedelta(days=90, seconds=-1))
    assert delete_old_entries(now=now) == 0
    oldest = AuditLog.objects.order_by("sequence")[0]
    AuditLog.objects.filter(pk=oldest.pk).update(timestamp=now - timedelta(days=90, seconds=1))
    rest = set(AuditLog.objects.values_list("pk", flat=True)) - {oldest.pk}
    assert rest
    assert [delete_old_entries(now=now), delete_old_entries(now=now)] == [1, 0]
    assert set(AuditLog.objects.values_list("pk", flat=True)) == rest


def test_how_long_is_a_setting_and_none_is_for_ever(settings, now):
    count = AuditLog.objects.update(timestamp=now - timedelta(days=5, seconds=1))
    settings.AUDIT_LOG_RETENTION_DAYS = 0
    assert delete_old_entries(now=now) == 0
    settings.AUDIT_LOG_RETENTION_DAYS = 5
    assert forget_old_entries() == count
