"""Diagnostics that run out of time, lose their agent, or have been closed for long enough."""

from datetime import timedelta

import pytest

from diagnostics.jobs import clean_up_diagnostics
from diagnostics.models import DiagnosticRequest, DiagnosticResult
from diagnostics.services import close_overdue, delete_old_diagnostics
from tests.factories import (
    make_agent,
    make_claimed_diagnostic,
    make_diagnostic,
    make_diagnostic_result,
    make_object,
    make_stack,
)
from tests.support.events import recorded_audit

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def agent():
    return make_agent()[0]


@pytest.fixture
def obj():
    return make_object(make_stack())


def statuses() -> list[str]:
    return sorted(DiagnosticRequest.objects.values_list("status", flat=True))


def test_what_has_expired_is_closed_as_expired_or_failed(agent, obj, now):
    for moment in (now, now - HOUR):
        make_diagnostic(agent, obj, now=moment)
        make_claimed_diagnostic(agent, obj, now=moment)
        make_diagnostic_result(agent, obj, now=moment)
    with recorded_audit() as rows:
        assert [close_overdue(now=now), close_overdue(now=now)] == [2, 0]
    assert statuses() == ["claimed", "completed", "completed", "expired", "failed", "pending"]
    failed = DiagnosticRequest.objects.get(status="failed")
    assert failed.completed_at == now
    assert sorted((row.action, row.actor_type) for row in rows) == [
        ("diagnostic.expired", "system"),
        ("diagnostic.failed", "system"),
    ]


def test_many_are_closed_in_steps(agent, obj, monkeypatch, now):
    monkeypatch.setattr("diagnostics.services._BATCH", 2)
    for _ in range(5):
        make_diagnostic(agent, obj, now=now - HOUR)
    assert close_overdue(now=now) == 5


def test_deleting_an_agent_closes_what_it_was_asked(admin, agent, obj):
    other = make_diagnostic(make_agent()[0], obj)
    pending, claimed = make_diagnostic(agent, obj), make_claimed_diagnostic(agent, obj)
    done = make_diagnostic_result(agent, obj).request
    admin.delete(f"/agents/{agent.id}")
    now = {row.id: row.status for row in DiagnosticRequest.objects.all()}
    assert now == {
        other.id: "pending",
        pending.id: "expired",
        claimed.id: "failed",
        done.id: "completed",
    }
    assert admin.get(f"/diagnostics/{claimed.id}").json()["request"]["completed_at"] is not None


def test_closed_requests_are_deleted_with_their_results_after_an_hour(agent, obj, now):
    make_diagnostic_result(agent, obj, now=now - 2 * HOUR)
    make_diagnostic_result(agent, obj, now=now - HOUR / 2, retention_minutes=1)
    make_claimed_diagnostic(agent, obj, now=now - HOUR)
    make_diagnostic(agent, obj, now=now)
    close_overdue(now=now)
    assert delete_old_diagnostics(now=now) == 1
    assert statuses() == ["completed", "failed", "pending"]
    assert DiagnosticResult.objects.count() == 1
    assert delete_old_diagnostics(now=now + HOUR / 2) == 1
    assert delete_old_diagnostics(now=now + HOUR) == 1
    assert statuses() == ["pending"]


def test_a_result_is_kept_for_as_long_as_was_asked_for(agent, obj, now):
    make_diagnostic_result(agent, obj, now=now - 3 * HOUR, retention_minutes=240)
    assert delete_old_diagnostics(now=now) == 0
    assert delete_old_diagnostics(now=now + HOUR) == 1


def test_how_long_closed_requests_are_kept_is_a_setting(agent, obj, settings, now):
    make_diagnostic_result(agent, obj, now=now - 3 * HOUR)
    for hours in (4, 0):
        settings.DIAGNOSTIC_MAX_AGE_HOURS = hours
        assert delete_old_diagnostics(now=now) == 0
    settings.DIAGNOSTIC_MAX_AGE_HOURS = 3
    assert delete_old_diagnostics(now=now) == 1


def test_the_worker_closes_and_deletes(agent, obj, now):
    make_diagnostic(agent, obj, now=now - HOUR)
    make_diagnostic_result(agent, obj, now=now - 2 * HOUR)
    assert clean_up_diagnostics() == 2
    assert statuses() == ["expired"]
