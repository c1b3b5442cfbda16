"""GET /admin/audit-seals, GET /admin/audit-seals/verify, /admin/audit-verifications."""

from typing import Any
from unittest import mock

import pytest

from audit.jobs import verify_log
from audit.models import AuditLog, AuditSeal, AuditVerification
from audit.services import run_verifications
from tests.support.api import Api, refused
from tests.support.sealed_log import make_sealed_log

pytestmark = pytest.mark.django_db

SEALS, VERIFICATIONS = "/admin/audit-seals", "/admin/audit-verifications"


@pytest.fixture
def seals(admin: Api) -> list[AuditSeal]:
    return make_sealed_log(3, 2)


def test_seals_are_listed_newest_first(admin: Api, seals):
    listed = admin.get(SEALS).json()
    assert [seal["number"] for seal in listed] == [3, 2, 1]
    assert listed[0]["hash"] == seals[-1].hash
    assert listed[0]["previous_hash"] == listed[1]["hash"]


@pytest.mark.parametrize("count", [1, 12])
def test_listing_costs_the_same_for_one_and_for_many(admin: Api, count: int, django_assert_num_queries):
    make_sealed_log(count, 1)
    admin.get(SEALS)
    with django_assert_num_queries(2):
        admin.get(SEALS)


def test_an_entry_of_the_log_names_its_seal(admin: Api, seals):
    newest = admin.get("/admin/audit-logs?action=audit.verified").json()["logs"][0]
    assert (newest["seal"], newest["reason"], newest["erased"]) == (3, "because", [])
    assert (newest["before"], newest["after"]) == ({"name": "old 1"}, {"name": "new 1"})


def test_a_range_is_verified_at_once(admin: Api, seals):
    answer = admin.get(f"{SEALS}/verify?first=1&last=2").json()
    assert answer == {"holds": True, "seals": 3, "entries": 4, "erased": 0, "finding": None}
    AuditLog.objects.filter(seal=2).first().delete()
    answer = admin.get(f"{SEALS}/verify?first=1&last=3").json()
    assert answer["holds"] is False
    assert (answer["finding"]["seal"], answer["finding"]["why"]) == (2, "missing")


def test_a_range_is_bounded_and_names_what_there_is(admin: Api, seals):
    refused(admin.get(f"{SEALS}/verify?first=1&last=101"), 400, "audit_range_too_large")
    refused(admin.get(f"{SEALS}/verify?first=2&last=1"), 400, "audit_range_too_large")
    with mock.patch("audit.services.verification.MOST_ENTRIES_AT_ONCE", 5):
        refused(admin.get(f"{SEALS}/verify?first=1&last=3"), 400, "audit_range_too_large")
    assert admin.get(f"{SEALS}/verify?first=90&last=91").json()["finding"]["why"] == "missing"
    for query in ("first=1", "first=0&last=1", f"first={10**30}&last={10**30}"):
        refused(admin.get(f"{SEALS}/verify?{query}"), 400, "invalid_query")


def asked(admin: Api, **body: Any) -> dict[str, Any]:
    response = admin.post(VERIFICATIONS, body)
    assert response.status_code == 202, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_the_whole_log_is_verified_by_the_worker(admin: Api, seals):
    verification = asked(admin, expected_hash=seals[0].hash)
    assert (verification["state"], verification["requested_by"]) == ("waiting", "test admin")
    assert verify_log() == 1
    found = admin.get(f"{VERIFICATIONS}/{verification['id']}").json()
    assert (found["state"], found["seals"], found["entries"]) == ("holds", 3, 6)
    row = AuditLog.objects.get(action="audit.verified", resource_id=verification["id"])
    assert (row.details["holds"], row.details["head"]) == (True, seals[-1].hash)
    assert [row["id"] for row in admin.get(VERIFICATIONS).json()] == [verification["id"]]


def test_a_log_that_was_tampered_with_is_found_broken(admin: Api, seals):
    AuditLog.objects.filter(seal=2).update(reason="x")
    verification = asked(admin)
    verify_log()
    found = admin.get(f"{VERIFICATIONS}/{verification['id']}").json()
    assert (found["state"], found["broken_seal"], found["finding"]) == ("broken", 2, "changed")


def test_a_worker_that_is_told_to_stop_leaves_it_to_another(admin: Api, seals, monkeypatch):
    asked(admin)
    answers = iter([True, False, False])
    monkeypatch.setattr("audit.services.verification._REPORTED_EVERY", 1)
    assert run_verifications(may_go_on=lambda: next(answers)) == 0
    assert AuditVerification.objects.get().state == "waiting"
    assert verify_log() == 1


def test_an_expected_hash_is_a_hash(admin: Api):
    refused(admin.post(VERIFICATIONS, {"expected_hash": "none"}), 400, "invalid_hash")


def test_an_unknown_verification_is_404(admin: Api):
    path = f"{VERIFICATIONS}/0193f0c1-0000-7000-8000-000000000000"
    refused(admin.get(path), 404, "audit_verification_not_found")
