"""Claims, answers and workers that meet at one diagnostic, on PostgreSQL."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditLog
from diagnostics.models import DiagnosticRequest, DiagnosticResult
from diagnostics.services import close_overdue
from tests.factories import make_agent, make_claimed_diagnostic, make_diagnostic, make_object, make_stack
from tests.support.threads import call, statuses, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]

FOUND = {"pod_statuses": "[]", "events": "[]", "collected_at": "2026-11-24T09:45:00Z"}


def test_of_simultaneous_claims_one_succeeds():
    agent, api = make_agent()
    diagnostic = make_diagnostic(agent, make_object(make_stack()))
    answers = together(*[call(api, "POST", f"/diagnostics/{diagnostic.id}/claim")] * 6)
    assert statuses(answers) == [200] + [409] * 5


def test_of_simultaneous_answers_one_is_kept():
    agent, api = make_agent()
    diagnostic = make_claimed_diagnostic(agent, make_object(make_stack()))
    answers = together(*[call(api, "POST", f"/diagnostics/{diagnostic.id}/result", FOUND)] * 4)
    assert statuses(answers) == [201] + [409] * 3
    assert DiagnosticResult.objects.count() == 1


def test_of_several_workers_one_closes_each(monkeypatch):
    monkeypatch.setattr("diagnostics.services._BATCH", 3)
    agent, obj = make_agent()[0], make_object(make_stack())
    for _ in range(12):
        make_diagnostic(agent, obj, now=timezone.now() - timedelta(hours=2))
    closed = together(*[lambda: close_overdue(now=timezone.now())] * 4)
    assert sum(closed) == 12
    assert AuditLog.objects.filter(action="diagnostic.expired").count() == 12
    assert not DiagnosticRequest.objects.filter(status="pending").exists()


def test_an_answer_and_the_end_of_its_time_do_not_both_count():
    agent, api = make_agent()
    obj, late = make_object(make_stack()), timezone.now() - timedelta(hours=2)
    held = [make_claimed_diagnostic(agent, obj, now=late) for _ in range(6)]

    def answer():
        return [api.post(f"/diagnostics/{one.id}/result", FOUND).status_code for one in held]

    answers, _ = together(answer, lambda: close_overdue(now=timezone.now()))

    kept = dict(DiagnosticRequest.objects.values_list("id", "status"))
    assert [kept[one.id] for one in held] == [
        "completed" if status == 201 else "failed" for status in answers
    ]
    assert DiagnosticResult.objects.count() == answers.count(201)
