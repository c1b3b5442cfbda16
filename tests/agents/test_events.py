"""GET and POST /agents/{id}/events: what agents report."""

from uuid import uuid4

import pytest

from agents.models import AgentEvent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.api import refused
from tests.support.events import is_wire_time, notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def report(obj, **changes) -> dict[str, object]:
    return {
        "deployment_object_id": str(obj.id),
        "event_type": "DEPLOY",
        "status": "SUCCESS",
        "message": None,
    } | changes


@pytest.fixture
def obj(db):
    return make_object(make_stack(labels=["a"]))


def test_the_answer_is_the_event(admin, obj):
    agent, api = make_agent()
    for reporter, status in ((api, "SUCCESS"), (admin, "FAILURE")):
        sent = report(obj, status=status, agent_id=str(agent.id), message="because")
        response = reporter.post(f"/agents/{agent.id}/events", sent)
        assert response.status_code == 201
        body = response.json()
        assert is_wire_time(body.pop("created_at"))
        assert is_wire_time(body.pop("updated_at"))
        assert body == {
            "id": body["id"],
            "deleted_at": None,
            "agent_id": str(agent.id),
            "deployment_object_id": str(obj.id),
            "event_type": "DEPLOY",
            "status": status,
            "message": "because",
            "count": 1,
        }
        assert reporter.get(f"/agent-events/{body['id']}").status_code == 200


def test_message_and_agent_id_are_optional(obj):
    agent, api = make_agent()
    sent = {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": "SUCCESS"}
    assert api.post(f"/agents/{agent.id}/events", sent).json()["message"] is None


def test_another_agent_in_the_body_is_400(obj):
    agent, api = make_agent()
    other, _ = make_agent()
    sent = report(obj, agent_id=str(other.id))
    refused(api.post(f"/agents/{agent.id}/events", sent), 400, "agent_id_mismatch")
    assert not AgentEvent.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "IN_PROGRESS"},
        {"status": "success"},
        {"status": ""},
        {"status": None},
        {"event_type": ""},
        {"event_type": "  "},
        {"event_type": "x" * 51},
        {"event_type": 1},
        {"deployment_object_id": "17"},
        {"deployment_object_id": None},
        {"message": 1},
        {"agent_id": "17"},
    ],
)
def test_a_wrong_field_is_422_and_nothing_is_written(obj, changes):
    agent, api = make_agent()
    refused(api.post(f"/agents/{agent.id}/events", report(obj, **changes)), 422, "invalid_request_body")
    assert not AgentEvent.objects.exists()
    assert not StackReport.objects.exists()


@pytest.mark.parametrize("missing", ["deployment_object_id", "event_type", "status"])
def test_a_missing_field_is_422(obj, missing):
    agent, api = make_agent()
    sent = {name: value for name, value in report(obj).items() if name != missing}
    refused(api.post(f"/agents/{agent.id}/events", sent), 422, "invalid_request_body")


def test_fifty_characters_are_an_event_type(obj):
    agent, api = make_agent()
    assert api.post(f"/agents/{agent.id}/events", report(obj, event_type="é" * 50)).status_code == 201


def test_an_unknown_object_is_422(obj):
    agent, api = make_agent()
    sent = report(obj, deployment_object_id=str(uuid4()))
    body = refused(api.post(f"/agents/{agent.id}/events", sent), 422, "foreign_key_violation")
    assert body["details"]["constraint"] == "agent_events_deployment_object_id_fkey"


def test_an_unknown_agent_is_404_to_an_admin(admin, obj):
    refused(admin.post(f"/agents/{uuid4()}/events", report(obj)), 404, "agent_not_found")
    assert not StackReport.objects.exists()


def test_others_are_403(anonymous, obj):
    agent, _ = make_agent()
    path = f"/agents/{agent.id}/events"
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.post(path, report(obj)), 403, "agent_pak_mismatch")
        refused(api.get(path), 403, "agent_pak_mismatch")
    refused(anonymous.post(path, report(obj)), 401, "unauthorized")
    refused(anonymous.get(path), 401, "unauthorized")


def test_the_list_is_newest_first_and_the_agents_own(admin):
    agent, api = make_agent()
    stack = make_stack()
    events = [make_event(agent, make_object(stack)) for _ in range(3)]
    make_event(make_agent()[0], make_object(stack))
    for reader in (api, admin):
        response = reader.get(f"/agents/{agent.id}/events")
        assert response.status_code == 200
        assert [row["id"] for row in response.json()] == [str(event.id) for event in events[::-1]]
    assert admin.get(f"/agents/{uuid4()}/events").json() == []


def test_the_same_report_counts_the_first_up(obj):
    agent, api = make_agent()
    path = f"/agents/{agent.id}/events"
    first = api.post(path, report(obj, message="m")).json()
    with recorded_events() as events:
        again = api.post(path, report(obj, message="m"))
        third = api.post(path, report(obj, message="m"))
    assert (again.status_code, third.status_code) == (201, 201)
    assert third.json()["updated_at"] > again.json()["updated_at"] > first["updated_at"]
    assert third.json() | {"updated_at": ""} == first | {"count": 3, "updated_at": ""}
    assert AgentEvent.objects.count() == 1
    assert events == []


@pytest.mark.parametrize(
    "changes",
    [{"status": "FAILURE"}, {"message": "other"}, {"message": ""}, {"event_type": "HEALTH"}],
)
def test_a_report_that_differs_is_a_row_of_its_own(obj, changes):
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/events", report(obj))
    assert api.post(f"/agents/{agent.id}/events", report(obj, **changes)).json()["count"] == 1
    assert AgentEvent.objects.count() == 2


def test_another_agents_or_objects_report_is_a_row_of_its_own(obj):
    for agent in (make_agent()[0], make_agent()[0]):
        make_event(agent, obj)
        make_event(agent, make_object(make_stack()))
    assert AgentEvent.objects.count() == 4


@pytest.mark.parametrize(
    ("status", "notice"), [("SUCCESS", "deployment.applied"), ("FAILURE", "deployment.failed")]
)
def test_it_is_announced_and_not_audited(obj, status, notice):
    agent, api = make_agent()
    with recorded_events() as events, recorded_audit() as rows:
        api.post(f"/agents/{agent.id}/events", report(obj, status=status, message="m"))
    event = AgentEvent.objects.get()
    assert notices(events) == [
        (
            notice,
            {
                "agent_event_id": event.id,
                "agent_id": agent.id,
                "deployment_object_id": obj.id,
                "stack_id": obj.stack_id,
                "event_type": "DEPLOY",
                "status": status,
                "message": "m",
                "created_at": event.created_at,
            },
        )
    ]
    assert rows == []


def latest(agent, stack) -> tuple[int, str, str | None]:
    row = StackReport.objects.get(agent=agent, stack=stack)
    return row.sequence_id, row.status, row.message


def test_the_latest_word_on_a_stack_is_kept():
    agent, _ = make_agent()
    stack = make_stack()
    first, second = make_object(stack), make_object(stack)
    make_event(agent, first)
    assert latest(agent, stack) == (first.sequence_id, "SUCCESS", None)
    make_event(agent, second, "FAILURE", "boom")
    assert latest(agent, stack) == (second.sequence_id, "FAILURE", "boom")
    make_event(agent, second)
    assert latest(agent, stack) == (second.sequence_id, "SUCCESS", None)


def test_a_late_report_on_an_older_object_does_not_replace_it():
    agent, _ = make_agent()
    stack = make_stack()
    older, newer = make_object(stack), make_object(stack)
    make_event(agent, newer)
    make_event(agent, older, "FAILURE", "late")
    assert latest(agent, stack) == (newer.sequence_id, "SUCCESS", None)
    assert AgentEvent.objects.count() == 2


def test_since_moves_only_when_status_or_object_change():
    agent, _ = make_agent()
    stack = make_stack()
    obj = make_object(stack)
    make_event(agent, obj)
    first = StackReport.objects.get()
    make_event(agent, obj)
    second = StackReport.objects.get()
    assert second.since == first.since
    assert second.reported_at > first.reported_at
    make_event(agent, obj, "FAILURE")
    assert StackReport.objects.get().since > first.since


@pytest.mark.parametrize(("status", "owed"), [("SUCCESS", 0), ("FAILURE", 1)])
def test_success_for_the_marker_ends_its_delivery_for_this_agent_alone(status, owed):
    agent, api = make_agent(labels=["a"])
    other, _ = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    make_event(agent, obj)
    make_event(other, obj)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    api.post(f"/agents/{agent.id}/events", report(marker, status=status))
    assert MarkerDelivery.objects.filter(agent=agent).count() == owed
    assert MarkerDelivery.objects.filter(agent=other).count() == 1


def test_success_for_an_older_object_does_not_acknowledge_the_marker():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    make_event(agent, obj)
    delete_stack(stack=stack, actor=SYSTEM)
    assert api.post(f"/agents/{agent.id}/events", report(obj)).status_code == 201
    assert len(api.get(f"/agents/{agent.id}/target-state").json()) == 1


@pytest.mark.parametrize("status", EventStatus.values)
def test_a_first_report_that_comes_after_the_deletion_makes_the_marker_due(status):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    assert api.get(f"/agents/{agent.id}/target-state").json() == []
    assert api.post(f"/agents/{agent.id}/events", report(obj, status=status)).status_code == 201
    state = api.get(f"/agents/{agent.id}/target-state").json()
    assert [row["id"] for row in state] == [str(marker.id)]
    api.post(f"/agents/{agent.id}/events", report(marker))
    api.post(f"/agents/{agent.id}/events", report(obj, status=status))
    assert api.get(f"/agents/{agent.id}/target-state").json() == []


def test_reporting_on_a_marker_nobody_owed_makes_it_due_to_nobody():
    agent, api = make_agent(labels=["a"])
    marker = delete_stack(stack=make_stack(labels=["a"]), actor=SYSTEM)
    api.post(f"/agents/{agent.id}/events", report(marker, status="FAILURE"))
    assert api.get(f"/agents/{agent.id}/target-state").json() == []


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_of_the_list_is_fixed(rows, django_assert_num_queries):
    agent, api = make_agent()
    stack = make_stack()
    for _ in range(rows):
        make_event(agent, make_object(stack))
    api.get(f"/agents/{agent.id}/events")
    with django_assert_num_queries(2):
        assert len(api.get(f"/agents/{agent.id}/events").json()) == rows


@pytest.mark.requires_postgres
def test_a_report_that_repeats_another_is_four_statements(django_assert_num_queries):
    agent, api = make_agent()
    obj = make_object(make_stack())
    make_event(agent, obj)
    report = {"deployment_object_id": str(obj.id), "event_type": "DEPLOY", "status": "SUCCESS"}
    assert api.post(f"/agents/{agent.id}/events", report).status_code == 201
    # Two more begin and end the transaction, which is a savepoint here.
    with django_assert_num_queries(6):
        assert api.post(f"/agents/{agent.id}/events", report).status_code == 201
