"""Asking, claiming, answering and reading diagnostics."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from diagnostics.models import DiagnosticRequest, DiagnosticResult
from tests.factories import (
    make_agent,
    make_claimed_diagnostic,
    make_diagnostic,
    make_diagnostic_result,
    make_generator,
    make_object,
    make_stack,
)
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db

FOUND = {
    "pod_statuses": '[{"name": "web-0"}]',
    "events": "[]",
    "log_tails": '{"web-0": "started"}',
    "collected_at": "2026-11-24T09:45:00.5Z",
}


@pytest.fixture
def agent():
    return make_agent()


@pytest.fixture
def obj():
    return make_object(make_stack())


def ask(admin, agent, obj, **fields):
    return admin.post(f"/deployment-objects/{obj.id}/diagnostics", {"agent_id": str(agent[0].id)} | fields)


def path(diagnostic, action=""):
    return f"/diagnostics/{diagnostic.id}{action}"


# --- asking -----------------------------------------------------------------------------------------


def test_asking_makes_a_pending_request_that_expires_after_an_hour(admin, agent, obj):
    response = ask(admin, agent, obj, requested_by="astrid")
    assert response.status_code == 201
    body = response.json()
    diagnostic = DiagnosticRequest.objects.get()
    assert diagnostic.expires_at - diagnostic.created_at == timedelta(hours=1)
    assert is_wire_time(body.pop("created_at"))
    assert is_wire_time(body.pop("expires_at"))
    assert body == {
        "id": str(diagnostic.id),
        "agent_id": str(agent[0].id),
        "deployment_object_id": str(obj.id),
        "status": "pending",
        "requested_by": "astrid",
        "claimed_at": None,
        "completed_at": None,
    }


@pytest.mark.parametrize(("sent", "minutes"), [({}, 60), (None, 60), (1, 1), (1440, 1440)])
def test_how_long_it_is_kept_may_be_said(admin, agent, obj, sent, minutes):
    fields = {} if sent == {} else {"retention_minutes": sent, "requested_by": None}
    assert ask(admin, agent, obj, **fields).json()["requested_by"] is None
    diagnostic = DiagnosticRequest.objects.get()
    assert diagnostic.expires_at - diagnostic.created_at == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "fields",
    [
        {"retention_minutes": 0},
        {"retention_minutes": 1441},
        {"retention_minutes": -1},
        {"requested_by": "x" * 256},
    ],
)
def test_what_is_out_of_bounds_is_400(admin, agent, obj, fields):
    refused(ask(admin, agent, obj, **fields), 400, "invalid_diagnostic_request")
    assert not DiagnosticRequest.objects.exists()


@pytest.mark.parametrize("fields", [{"agent_id": None}, {"retention_minutes": "60"}, {"requested_by": 1}])
def test_a_wrong_shape_is_422(admin, agent, obj, fields):
    refused(ask(admin, agent, obj, **fields), 422, "invalid_request_body")


def test_the_object_and_then_the_agent_must_exist(admin, agent, obj):
    unknown = str(uuid4())
    answer = admin.post(f"/deployment-objects/{unknown}/diagnostics", {"agent_id": unknown})
    refused(answer, 404, "deployment_object_not_found")
    refused(ask(admin, agent, obj, agent_id=unknown), 404, "agent_not_found")
    admin.delete(f"/agents/{agent[0].id}")
    refused(ask(admin, agent, obj), 404, "agent_not_found")
    admin.delete(f"/stacks/{obj.stack_id}")
    refused(ask(admin, agent, obj), 404, "deployment_object_not_found")


def test_only_admins_ask(agent, obj):
    for api in (agent[1], make_generator()[1]):
        refused(ask(api, agent, obj), 403, "admin_required")


def test_an_idempotency_key_asks_once(admin, agent, obj):
    for _ in range(2):
        admin.post(
            f"/deployment-objects/{obj.id}/diagnostics",
            {"agent_id": str(agent[0].id)},
            headers={"Idempotency-Key": "one"},
        )
    assert DiagnosticRequest.objects.count() == 1


# --- what is pending --------------------------------------------------------------------------------


def test_an_agent_sees_its_own_pending_requests_oldest_first(admin, agent, obj):
    now = timezone.now()
    second = make_diagnostic(agent[0], obj)
    first = make_diagnostic(agent[0], obj, now=now - timedelta(minutes=5))
    make_claimed_diagnostic(agent[0], obj)
    make_diagnostic(make_agent()[0], obj)
    make_diagnostic(agent[0], obj, now=now - timedelta(hours=2))
    for api in (agent[1], admin):
        rows = api.get(f"/agents/{agent[0].id}/diagnostics/pending").json()
        assert [row["id"] for row in rows] == [str(first.id), str(second.id)]
    assert rows[0].keys() == ask(admin, agent, obj).json().keys()


def test_others_do_not_see_what_is_pending(agent):
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.get(f"/agents/{agent[0].id}/diagnostics/pending"), 403, "agent_pak_mismatch")


# --- claiming ---------------------------------------------------------------------------------------


def test_the_agent_claims_without_a_body_and_once(agent, obj):
    diagnostic = make_diagnostic(agent[0], obj)
    response = agent[1].post(path(diagnostic, "/claim"))
    assert response.status_code == 200
    assert (response.json()["status"], is_wire_time(response.json()["claimed_at"])) == ("claimed", True)
    body = refused(agent[1].post(path(diagnostic, "/claim")), 409, "diagnostic_already_claimed")
    assert body["details"] == {"status": "claimed"}


def test_an_admin_may_claim_for_the_agent(admin, agent, obj):
    assert admin.post(path(make_diagnostic(agent[0], obj), "/claim"), {}).status_code == 200


def test_a_request_that_has_expired_is_not_claimed(agent, obj):
    diagnostic = make_diagnostic(agent[0], obj, now=timezone.now() - timedelta(hours=2))
    body = refused(agent[1].post(path(diagnostic, "/claim")), 409, "diagnostic_expired")
    assert is_wire_time(body["details"]["expires_at"])
    DiagnosticRequest.objects.update(status="expired")
    refused(agent[1].post(path(diagnostic, "/claim")), 409, "diagnostic_expired")


def test_others_do_not_claim(agent, obj):
    diagnostic = make_diagnostic(agent[0], obj)
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.post(path(diagnostic, "/claim")), 403, "diagnostic_not_owned")
        refused(api.post(f"/diagnostics/{uuid4()}/claim"), 404, "diagnostic_not_found")
    assert DiagnosticRequest.objects.get().status == "pending"


# --- answering --------------------------------------------------------------------------------------


def test_the_agent_answers_once_and_the_request_is_completed(agent, obj):
    diagnostic = make_claimed_diagnostic(agent[0], obj)
    response = agent[1].post(path(diagnostic, "/result"), FOUND)
    assert response.status_code == 201
    body = response.json()
    assert is_wire_time(body.pop("created_at"))
    assert body == FOUND | {
        "id": str(DiagnosticResult.objects.get().id),
        "request_id": str(diagnostic.id),
        "collected_at": "2026-11-24T09:45:00.500000Z",
    }
    diagnostic.refresh_from_db()
    assert (diagnostic.status, diagnostic.completed_at is None) == ("completed", False)
    answer = refused(agent[1].post(path(diagnostic, "/result"), FOUND), 409, "diagnostic_not_claimed")
    assert answer["details"] == {"status": "completed"}
    assert DiagnosticResult.objects.count() == 1


@pytest.mark.parametrize("log_tails", [None, ...])
def test_log_tails_may_be_null_or_absent(agent, obj, log_tails):
    body = {name: value for name, value in (FOUND | {"log_tails": log_tails}).items() if value is not ...}
    response = agent[1].post(path(make_claimed_diagnostic(agent[0], obj), "/result"), body)
    assert response.json()["log_tails"] is None


def test_an_answer_without_a_claim_is_409(agent, obj):
    diagnostic = make_diagnostic(agent[0], obj)
    body = refused(agent[1].post(path(diagnostic, "/result"), FOUND), 409, "diagnostic_not_claimed")
    assert body["details"] == {"status": "pending"}


def test_a_late_answer_is_taken_until_the_request_is_closed(agent, obj):
    diagnostic = make_claimed_diagnostic(agent[0], obj, now=timezone.now() - timedelta(hours=2))
    assert agent[1].post(path(diagnostic, "/result"), FOUND).status_code == 201


@pytest.mark.parametrize("name", ["pod_statuses", "events"])
def test_an_empty_answer_is_400(agent, obj, name):
    diagnostic = make_claimed_diagnostic(agent[0], obj)
    refused(agent[1].post(path(diagnostic, "/result"), FOUND | {name: ""}), 400, "invalid_diagnostic_result")
    diagnostic.refresh_from_db()
    assert diagnostic.status == "claimed"


@pytest.mark.parametrize("changes", [{"pod_statuses": []}, {"events": None}, {"collected_at": "now"}])
def test_an_answer_of_the_wrong_shape_is_422(agent, obj, changes):
    diagnostic = make_claimed_diagnostic(agent[0], obj)
    refused(agent[1].post(path(diagnostic, "/result"), FOUND | changes), 422, "invalid_request_body")


def test_nobody_answers_for_the_agent(admin, agent, obj):
    diagnostic = make_claimed_diagnostic(agent[0], obj)
    for api in (admin, make_agent()[1], make_generator()[1]):
        refused(api.post(path(diagnostic, "/result"), FOUND), 403, "diagnostic_not_owned")
        refused(api.post(f"/diagnostics/{uuid4()}/result", FOUND), 404, "diagnostic_not_found")


# --- reading ----------------------------------------------------------------------------------------


def test_a_request_is_read_without_a_result_until_there_is_one(admin, agent, obj):
    diagnostic = make_claimed_diagnostic(agent[0], obj)
    before = admin.get(path(diagnostic)).json()
    assert before.keys() == {"request"}
    assert before["request"]["status"] == "claimed"
    result = agent[1].post(path(diagnostic, "/result"), FOUND).json()
    for api in (admin, agent[1]):
        after = api.get(path(diagnostic)).json()
        assert after["result"] == result
        assert (after["request"]["id"], after["request"]["status"]) == (str(diagnostic.id), "completed")


def test_reading_is_conditional(admin, agent, obj):
    diagnostic = make_diagnostic(agent[0], obj)
    tag = admin.get(path(diagnostic))["ETag"]
    assert admin.get(path(diagnostic), headers={"If-None-Match": tag}).status_code == 304


def test_others_do_not_read_and_unknown_is_404_to_all(admin, agent, obj):
    diagnostic = make_diagnostic(agent[0], obj)
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.get(path(diagnostic)), 403, "diagnostic_not_owned")
        refused(api.get(f"/diagnostics/{uuid4()}"), 404, "diagnostic_not_found")
    refused(admin.get(f"/diagnostics/{uuid4()}"), 404, "diagnostic_not_found")


def test_every_step_is_audited_with_its_author(admin, agent, obj):
    with recorded_events() as events, recorded_audit() as rows:
        diagnostic_id = ask(admin, agent, obj).json()["id"]
        agent[1].post(f"/diagnostics/{diagnostic_id}/claim")
        agent[1].post(f"/diagnostics/{diagnostic_id}/result", FOUND)
    assert [(row.action, row.actor_type, str(row.resource_id)) for row in rows] == [
        ("diagnostic.requested", "admin", diagnostic_id),
        ("diagnostic.claimed", "agent", diagnostic_id),
        ("diagnostic.completed", "agent", diagnostic_id),
    ]
    named = {"agent_id": str(agent[0].id), "deployment_object_id": str(obj.id)}
    assert rows[0].details == named | {"stack_id": str(obj.stack_id)}
    assert rows[1].details == named
    assert notices(events) == []


def test_a_result_reads_its_request(agent, obj):
    assert make_diagnostic_result(agent[0], obj).request.status == "completed"
