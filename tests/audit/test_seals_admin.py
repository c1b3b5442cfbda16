"""The page of the seals."""

import pytest

from audit.jobs import verify_log
from audit.models import AuditLog, AuditVerification
from core.metrics import exposition
from tests.support.admin import AdminPages, staff
from tests.support.sealed_log import make_sealed_log, write_entry

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what the page of the seals shows")]

PAGE = "audit/auditseal/"


def shown(operator: AdminPages) -> str:
    page = operator.get(PAGE)
    assert page.status_code == 200
    text: str = page.content.decode()
    return text


def test_it_shows_the_last_seal_what_has_none_and_the_last_verification(operator: AdminPages):
    make_sealed_log(2, 2)
    write_entry()
    page = shown(operator)
    assert "number 2" in page
    assert ">1, the oldest" in page
    assert "never" in page


def test_the_whole_log_is_verified_at_the_push_of_a_button(operator: AdminPages):
    make_sealed_log(2, 2)
    assert "audit-verify" in shown(operator)
    operator.post(f"{PAGE}verify/")
    assert AuditVerification.objects.get().requested_by == "astrid"
    page = shown(operator)
    assert "asked for by astrid" in page
    assert "audit-verify" not in page
    AuditLog.objects.filter(seal=1).update(reason="x")
    verify_log()
    page = shown(operator)
    assert "Seal 1: changed." in page


def test_who_only_looks_does_not_ask_for_a_verification():
    viewer = staff("audit.view_auditseal")
    assert "audit-verify" not in viewer.get(PAGE).content.decode()
    assert viewer.post(f"{PAGE}verify/").status_code == 403
    assert viewer.get(f"{PAGE}verify/").status_code == 405
    assert not AuditVerification.objects.exists()


def test_a_seal_and_its_entries_lead_to_each_other(operator: AdminPages):
    (seal,) = make_sealed_log(1, 1)
    row = AuditLog.objects.get()
    assert (
        f"/admin/{PAGE}{seal.pk}/change/" in operator.get(f"audit/auditlog/{row.pk}/change/").content.decode()
    )
    page = operator.get(f"{PAGE}{seal.pk}/change/").content.decode()
    assert seal.hash in page


def test_the_age_of_the_oldest_entry_without_a_seal_is_a_metric():
    name = "brokkr_audit_oldest_unsealed_age_seconds"
    make_sealed_log(1, 1)
    assert f"{name} 0.0" in exposition().decode()
    write_entry()
    (line,) = [line for line in exposition().decode().splitlines() if line.startswith(f"{name} ")]
    assert float(line.split()[1]) > 0
