"""POST /agents/{id}/events/batch: many reports in one transaction."""

from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.models import Agent, AgentEvent, MarkerDelivery, StackReport
from agents.models.event import EventStatus
from agents.services.events import Report, report_events
from core.events import SYSTEM
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def report(obj: DeploymentObject, **changes: object) -> dict[str, object]:
    return {
        "deployment_object_id": str(obj.id),
        "event_type": "DEPLOY",
        "status": "SUCCESS",
        "message": None,
    } | changes


@pytest.fixture
def obj(db):
    return make_object(make_stack(labels=["a"]))


def send(api, agent, *reports, **options):
    return api.post(f"/agents/{agent.id}/events/batch", {"events": list(reports)}, **options)


def test_the_answer_is_the_events_in_the_order_of_the_reports(admin):
    agent, api = make_agent()
    objects = [make_object(make_stack()) for _ in range(3)]
    for reporter, message in ((api, "by the agent"), (admin, "by an admin")):
        response = send(
            reporter,
            agent,
            *(
                report(obj, status=status, message=message)
                for obj in objects
                for status in ("FAILURE", "SUCCESS")
            ),
        )
        assert response.status_code == 201
        rows = response.json()
        assert [(row["deployment_object_id"], row["status"]) for row in rows] == [
            (str(obj.id), status) for obj in objects for status in ("FAILURE", "SUCCESS")
        ]
        assert {(row["agent_id"], row["count"], row["message"]) for row in rows} == {
            (str(agent.id), 1, message)
        }
        for row in rows:
            assert api.get(f"/agent-events/{row['id']}").json() == row
    listed = [row["id"] for row in api.get(f"/agents/{agent.id}/events").json()]
    assert listed[: len(rows)] == [row["id"] for row in rows[::-1]]


def test_reports_that_say_the_same_share_one_event(obj):
    agent, api = make_agent()
    earlier = make_event(agent, obj, message="m")
    other = make_object(make_stack())
    with recorded_events() as events:
        rows = send(
            api,
            agent,
            report(obj, message="m"),
            report(other),
            report(obj, message="m"),
            report(other),
            report(obj),
        ).json()
    assert [row["count"] for row in rows] == [3, 2, 3, 2, 1]
    assert rows[0] == rows[2]
    assert rows[0]["id"] == str(earlier.id)
    assert rows[0]["updated_at"] > rows[0]["created_at"]
    assert rows[1] == rows[3]
    assert AgentEvent.objects.count() == 3
    assert [payload["agent_event_id"] for _, payload in notices(events)] == [
        AgentEvent.objects.get(pk=rows[position]["id"]).id for position in (1, 4)
    ]


def test_every_new_event_is_announced_and_none_audited(obj):
    agent, api = make_agent()
    with recorded_events() as events, recorded_audit() as audit:
        send(api, agent, report(obj), report(obj, status="FAILURE"))
    assert [notice for notice, _ in notices(events)] == ["deployment.applied", "deployment.failed"]
    assert audit == []


def test_acknowledging_a_marker_ends_its_delivery():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_event(agent, make_object(stack))
    marker = delete_stack(stack=stack, actor=SYSTEM)
    send(api, agent, report(marker, status="FAILURE"))
    assert MarkerDelivery.objects.count() == 1
    send(api, agent, report(make_object(make_stack())), report(marker))
    assert not MarkerDelivery.objects.exists()


def test_first_reports_that_come_after_the_deletion_make_the_markers_due():
    agent, api = make_agent(labels=["a"])
    stacks = [make_stack(labels=["a"]) for _ in range(2)]
    objects = [make_object(stack) for stack in stacks]
    markers = [delete_stack(stack=stack, actor=SYSTEM) for stack in stacks]
    send(api, agent, *(report(obj) for obj in objects))
    state = api.get(f"/agents/{agent.id}/target-state").json()
    assert [row["id"] for row in state] == [str(marker.id) for marker in markers[::-1]]


def test_a_report_and_its_markers_acknowledgement_may_come_together():
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack)
    marker = delete_stack(stack=stack, actor=SYSTEM)
    send(api, agent, report(obj), report(marker))
    assert not MarkerDelivery.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "IN_PROGRESS"},
        {"event_type": "x" * 51},
        {"deployment_object_id": "17"},
        {"message": 1},
    ],
)
def test_a_wrong_report_is_422_with_its_index_and_nothing_is_written(obj, wrong):
    agent, api = make_agent()
    body = refused(send(api, agent, report(obj), report(obj, **wrong)), 422, "invalid_request_body")
    (name,) = wrong
    assert set(body["details"]["fields"]["events"]) == {"1"}
    assert set(body["details"]["fields"]["events"]["1"]) == {name}
    assert f"events[1].{name}" in body["message"]
    assert not AgentEvent.objects.exists()
    assert not StackReport.objects.exists()


def test_what_is_no_object_is_422_with_its_index(obj):
    agent, api = make_agent()
    body = refused(
        api.post(f"/agents/{agent.id}/events/batch", {"events": [report(obj), 7]}),
        422,
        "invalid_request_body",
    )
    assert set(body["details"]["fields"]["events"]) == {"1"}
    assert "events[1]" in body["message"]


def test_an_unknown_object_is_422_with_its_index_and_nothing_is_written(obj):
    agent, api = make_agent()
    unknown = report(obj, deployment_object_id=str(uuid4()))
    body = refused(send(api, agent, report(obj), report(obj), unknown, unknown), 422, "foreign_key_violation")
    assert body["details"]["index"] == 2
    assert body["details"]["constraint"] == "agent_events_deployment_object_id_fkey"
    assert not AgentEvent.objects.exists()
    assert not StackReport.objects.exists()


def test_another_agent_in_a_report_is_400_with_its_index(obj):
    agent, api = make_agent()
    other, _ = make_agent()
    mine, foreign = report(obj, agent_id=str(agent.id)), report(obj, agent_id=str(other.id))
    body = refused(send(api, agent, mine, foreign), 400, "agent_id_mismatch")
    assert body["details"]["index"] == 1
    assert not AgentEvent.objects.exists()
    assert send(api, agent, mine, mine).status_code == 201


@pytest.mark.parametrize("sent", [{}, {"events": []}, {"events": None}, {"events": {}}, {"events": "a"}, []])
def test_a_body_without_reports_is_422(sent):
    agent, api = make_agent()
    refused(api.post(f"/agents/{agent.id}/events/batch", sent), 422, "invalid_request_body")


def word(number: int) -> str:
    """Of letters alone: texts that differ only in numbers say the same."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


@pytest.mark.parametrize(("number", "status"), [(500, 201), (501, 422)])
def test_five_hundred_are_the_most(obj, number, status):
    agent, api = make_agent()
    response = send(api, agent, *(report(obj, message=word(each)) for each in range(number)))
    assert response.status_code == status
    assert AgentEvent.objects.count() == (number if status == 201 else 0)


def test_an_unknown_agent_is_404_to_an_admin(admin, obj):
    path = f"/agents/{uuid4()}/events/batch"
    refused(admin.post(path, {"events": [report(obj)]}), 404, "agent_not_found")


def test_others_are_403(anonymous, obj):
    agent, _ = make_agent()
    for api in (make_agent()[1], make_generator()[1]):
        refused(send(api, agent, report(obj)), 403, "agent_pak_mismatch")
    refused(send(anonymous, agent, report(obj)), 401, "unauthorized")


def test_a_repeat_with_the_same_idempotency_key_counts_nothing_up(obj):
    agent, api = make_agent()
    headers = {"Idempotency-Key": "once"}
    first = send(api, agent, report(obj), report(obj, status="FAILURE"), headers=headers)
    again = send(api, agent, report(obj), report(obj, status="FAILURE"), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert {event.count for event in AgentEvent.objects.all()} == {1}


def test_the_number_of_statements_does_not_grow_with_the_reports(django_assert_max_num_queries):
    agent, _ = make_agent(labels=["a"])
    stacks = [make_stack(labels=["a"]) for _ in range(40)]
    objects = [make_object(stack) for stack in stacks]
    for obj in objects[:10]:
        make_event(agent, obj)
    for stack in stacks[5:15]:
        delete_stack(stack=stack, actor=SYSTEM)
    # At most two to begin and end, then: what it reports on with the locks, what it said before, all that changes,
    # markers read and owed, what it serves, who listens. On SQLite, reads and changes are statements of their own.
    with django_assert_max_num_queries(16):
        report_events(
            agent_id=agent.id,
            reports=[Report(obj.id, "DEPLOY", EventStatus.SUCCESS) for obj in objects * 2],
            actor=SYSTEM,
        )


outcomes = st.tuples(st.integers(0, 5), st.sampled_from(EventStatus.values), st.sampled_from([None, "", "m"]))


def what_is_known(agent: Agent, positions: dict[UUID, int]) -> tuple[object, ...]:
    """Everything that reports write, by the position of the objects, without ids and times."""
    events = AgentEvent.objects.filter(agent=agent).order_by("created_at", "id")
    reports = StackReport.objects.filter(agent=agent)
    owed = MarkerDelivery.objects.filter(agent=agent).select_related("marker")
    sequence = {obj.pk: positions[obj.id] for obj in DeploymentObject.objects.filter(id__in=positions)}
    return (
        [(positions[row.deployment_object_id], row.status, row.message, row.count) for row in events],
        sorted((sequence[row.sequence_id], row.status, row.message or "-") for row in reports),
        sorted(positions[row.marker.id] for row in owed),
    )


def live_and_deleted(agent: Agent) -> list[DeploymentObject]:
    """Two versions of a live stack, two of one that was deleted before the agent reported, and its marker; and one of
    a deleted stack that it had reported on.
    """
    live, late, known = (make_stack(labels=["a"]) for _ in range(3))
    objects = [make_object(stack) for stack in (live, live, late, late, known)]
    make_event(agent, objects[-1], "FAILURE")
    marker = delete_stack(stack=Stack.objects.get(pk=late.pk), actor=SYSTEM)
    delete_stack(stack=Stack.objects.get(pk=known.pk), actor=SYSTEM)
    known_marker = DeploymentObject.objects.get(stack=known, is_deletion_marker=True)
    objects[-1] = known_marker
    return [*objects, marker]


@examples(max_examples=30)
@given(st.lists(outcomes, min_size=1, max_size=12))
def test_a_batch_leaves_what_the_same_reports_one_by_one_leave(said):
    left = []
    # Undone, so that no example has the stacks of all before it.
    with transaction.atomic():
        one, _ = make_agent(labels=["a"])
        two, _ = make_agent(labels=["a"])
        for agent, at_once in ((one, True), (two, False)):
            objects = live_and_deleted(agent)
            first = DeploymentObject.objects.filter(stack_id=objects[4].stack_id).order_by("sequence_id")[0]
            positions = {obj.id: position for position, obj in enumerate([*objects, first])}
            reports = [Report(objects[index].id, "DEPLOY", EventStatus(s), m) for index, s, m in said]
            for chunk in [reports] if at_once else [[each] for each in reports]:
                report_events(agent_id=agent.id, reports=chunk, actor=SYSTEM)
            left.append(what_is_known(agent, positions))
        transaction.set_rollback(True)
    assert left[0] == left[1]
