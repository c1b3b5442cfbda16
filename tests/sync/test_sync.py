"""POST /agents/{id}/sync."""

from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from agents.models import AgentEvent, AgentHeartbeat, AgentOffer
from agents.services.targets import remove_target
from core import clock
from core.events import SYSTEM
from health.models import DeploymentHealth
from stacks.services import delete_stack, lock_stack
from sync.services import confirm_removals
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_diagnostic,
    make_event,
    make_object,
    make_stack,
    make_target,
    make_work_order,
    manifest,
)
from tests.support.api import refused
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db

_numbers = count(1)


def sync(agent: Any, api: Any, **body: Any) -> Any:
    response = api.post(f"/agents/{agent.id}/sync", body)
    assert response.status_code == 200, response.content
    return response.json()


def report(obj: Any, status: str = "SUCCESS", report_id: UUID | None = None) -> dict[str, Any]:
    return {
        "report_id": str(report_id or uuid4()),
        "deployment_object_id": str(obj.id),
        "event_type": "DEPLOY",
        "status": status,
    }


def health(obj: Any, status: str = "healthy") -> dict[str, Any]:
    return {
        "report_id": str(uuid4()),
        "deployment_object_id": str(obj.id),
        "status": status,
        "checked_at": "2026-11-24T09:45:00Z",
    }


def delete(stack: Any) -> None:
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.id), actor=SYSTEM)


@pytest.fixture
def serving():
    """An active agent, its API and a stack that it serves."""
    agent, api = make_agent(active=True)
    stack = make_stack()
    make_target(agent, stack)
    return agent, api, stack


def test_the_first_answer_has_the_texts_of_all_versions(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    answer = sync(agent, api)
    assert answer["state"] == {
        "versions": [
            {
                "id": str(obj.id),
                "stack_id": str(stack.id),
                "stack_name": stack.name,
                "sequence_id": obj.sequence_id,
                "yaml_checksum": obj.yaml_checksum,
                "yaml_content": obj.yaml_content,
            }
        ],
        "removals": [],
    }
    assert (answer["agent_status"], answer["next_sync_seconds"]) == ("ACTIVE", 30)


def test_an_agent_that_names_the_tag_hears_that_nothing_is_new(serving):
    agent, api, stack = serving
    make_object(stack)
    tag = sync(agent, api)["tag"]
    again = sync(agent, api, tag=tag)
    assert (again["tag"], again["state"]) == (tag, None)


def test_texts_that_the_agent_holds_are_not_sent_again(serving):
    agent, api, stack = serving
    held = make_object(stack)
    other = make_stack()
    make_target(agent, other)
    new = make_object(other, manifest("new"))
    texts = {
        row["id"]: row["yaml_content"]
        for row in sync(agent, api, held=[held.yaml_checksum])["state"]["versions"]
    }
    assert texts == {str(held.id): None, str(new.id): new.yaml_content}


def test_an_empty_state_is_told_and_removes_nothing():
    agent, api = make_agent(active=True)
    answer = sync(agent, api)
    assert answer["state"] == {"versions": [], "removals": []}
    assert answer["tag"]


def test_an_agent_that_is_not_active_is_given_nothing():
    agent, api = make_agent()
    stack = make_stack()
    make_target(agent, stack)
    make_object(stack)
    make_work_order(targeting=Targeting([agent.id]))
    answer = sync(agent, api)
    assert answer["agent_status"] == "INACTIVE"
    assert (answer["tag"], answer["state"], answer["work_orders"]) == (None, None, [])


def test_the_interval_is_a_setting(serving, settings):
    settings.SYNC_INTERVAL_SECONDS = 7
    agent, api, _ = serving
    assert sync(agent, api)["next_sync_seconds"] == 7


def test_versions_in_an_answer_count_as_offered(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    sync(agent, api)
    assert AgentOffer.objects.filter(agent=agent, version=obj).exists()


def test_it_is_a_heartbeat_that_says_what_the_agent_is(serving):
    agent, api, _ = serving
    sync(agent, api, k8s_reachable=True, k8s_api_latency_ms=12, agent_version="1.0.0")
    row = AgentHeartbeat.objects.get(agent=agent)
    assert row.last_heartbeat is not None
    assert (row.k8s_reachable, row.k8s_api_latency_ms) == (True, 12)
    assert api.get(f"/agents/{agent.id}").json()["agent_version"] == "1.0.0"


def test_a_heartbeat_without_a_version_keeps_the_version(serving):
    agent, api, _ = serving
    sync(agent, api, agent_version="1.0.0")
    sync(agent, api)
    assert AgentHeartbeat.objects.get(agent=agent).agent_version == "1.0.0"


@pytest.mark.parametrize("reason", ["stack_deleted", "not_served", "marker_published"])
def test_a_removal_says_why(serving, reason):
    agent, api, stack = serving
    make_event(agent, make_object(stack))
    if reason == "stack_deleted":
        delete(stack)
    elif reason == "not_served":
        remove_target(agent_id=agent.id, stack=stack, actor=SYSTEM)
    else:
        make_object(stack, "", is_deletion_marker=True)
    state = sync(agent, api)["state"]
    assert state["versions"] == []
    assert [(row["stack_id"], row["reason"]) for row in state["removals"]] == [(str(stack.id), reason)]


def test_a_removal_ends_when_the_agent_reports_success(serving):
    agent, api, stack = serving
    make_event(agent, make_object(stack))
    delete(stack)
    (removal,) = sync(agent, api)["state"]["removals"]
    done = {"report_id": str(uuid4()), "deployment_object_id": removal["id"], "event_type": "DELETE"}
    answer = sync(agent, api, reports=[done | {"status": "SUCCESS"}])
    assert answer["state"]["removals"] == []


def test_a_report_that_is_sent_again_is_recorded_once(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    first, second = report(obj), report(obj, "FAILURE")
    sync(agent, api, reports=[first, second])
    sync(agent, api, reports=[first, second])
    events = AgentEvent.objects.filter(agent=agent).order_by("created_at", "id")
    assert sorted((event.status, event.count) for event in events) == [("FAILURE", 1), ("SUCCESS", 1)]


def test_another_agent_may_use_the_same_id(serving):
    agent, api, stack = serving
    other, other_api = make_agent(active=True)
    obj = make_object(stack)
    said = report(obj)
    sync(agent, api, reports=[said])
    sync(other, other_api, reports=[said])
    assert set(AgentEvent.objects.values_list("agent_id", flat=True)) == {agent.id, other.id}


def test_health_that_is_sent_again_does_not_undo_newer_health(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    first = health(obj, "failing")
    sync(agent, api, health=[first])
    sync(agent, api, health=[health(obj, "healthy")])
    sync(agent, api, health=[first])
    assert DeploymentHealth.objects.get(agent=agent).status == "healthy"


def test_a_report_on_an_unknown_version_does_not_hold_up_the_others(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    strange = report(obj) | {"deployment_object_id": str(uuid4())}
    answer = sync(agent, api, reports=[strange, report(obj)])
    assert answer["unknown_reports"] == [strange["report_id"]]
    assert AgentEvent.objects.filter(agent=agent, deployment_object=obj).exists()


def test_of_reports_with_one_id_in_a_call_the_first_counts(serving):
    agent, api, stack = serving
    obj, report_id = make_object(stack), uuid4()
    reports = [report(obj, status, report_id) for status in ("SUCCESS", "FAILURE")]
    sync(agent, api, reports=reports, health=[health(obj) | {"report_id": str(report_id)}])
    assert [event.status for event in AgentEvent.objects.all()] == ["SUCCESS"]
    assert not DeploymentHealth.objects.exists()


@pytest.mark.parametrize("kinds", [("reports", "health"), ("reports", "reports"), ("health", "health")])
def test_an_id_that_was_used_for_an_unknown_version_too_holds_up_no_others(serving, kinds):
    agent, api, stack = serving
    known = make_object(stack)
    unknown = SimpleNamespace(id=uuid4())
    body: dict[str, list[Any]] = {"reports": [report(known, "FAILURE")], "health": []}
    report_id = str(uuid4())
    for kind, obj in zip(kinds, (unknown, known), strict=True):
        made = report(obj) if kind == "reports" else health(obj)
        body[kind].append(made | {"report_id": report_id})
    assert sync(agent, api, **body)["unknown_reports"] == [report_id]
    assert [event.status for event in AgentEvent.objects.all()] == ["FAILURE"]


def test_a_wrong_health_status_is_refused(serving):
    agent, api, stack = serving
    body = {"health": [health(make_object(stack), "fine")]}
    refused(api.post(f"/agents/{agent.id}/sync", body), 422, "invalid_health_record")


@pytest.mark.parametrize("checksum", ["", " ", "\u2003", "x" * 65])
def test_what_is_no_checksum_is_not_held(serving, checksum):
    agent, api, _ = serving
    refused(api.post(f"/agents/{agent.id}/sync", {"held": ["ab", checksum]}), 422, "invalid_request_body")


def test_a_body_of_the_wrong_shape_is_refused(serving):
    agent, api, _ = serving
    bodies: list[Any] = [{"held": "x"}, {"reports": [{}]}, {"tag": 5}, {"agent_version": "x" * 51}]
    for body in bodies:
        refused(api.post(f"/agents/{agent.id}/sync", body), 422, "invalid_request_body")


def test_orders_and_diagnostics_are_offered(serving):
    agent, api, stack = serving
    obj = make_object(stack)
    order, diagnostic = make_work_order(targeting=Targeting([agent.id])), make_diagnostic(agent, obj)
    answer = sync(agent, api)
    assert answer["work_orders"] == api.get(f"/agents/{agent.id}/work-orders/pending").json()
    assert [row["id"] for row in answer["work_orders"]] == [str(order.id)]
    assert answer["diagnostics"] == api.get(f"/agents/{agent.id}/diagnostics/pending").json()
    assert [row["id"] for row in answer["diagnostics"]] == [str(diagnostic.id)]


def test_claims_are_renewed_each_by_itself(serving):
    agent, api, _ = serving
    order = make_claimed_work_order(agent)
    lost = {"work_order_id": str(uuid4()), "claim_token": str(uuid4())}
    held = {"work_order_id": str(order.id), "claim_token": str(order.claim_token)}
    gone, renewed = sync(agent, api, renewals=[lost, held])["renewals"]
    assert (gone["claim_expires_at"], gone["code"]) == (None, "work_order_not_found")
    assert renewed["code"] is None
    assert renewed["claim_expires_at"] > order.claim_expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_removal_is_confirmed_for_the_agent_that_waits(serving):
    agent, api, stack = serving
    make_event(agent, make_object(stack))
    delete(stack)
    (removal,) = sync(agent, api)["state"]["removals"]
    waiting = {"waiting_removals": [removal["id"]]}
    assert sync(agent, api, **waiting)["confirmed_removals"] == []
    confirm_removals(agent_id=agent.id, object_ids=[UUID(removal["id"])], actor=SYSTEM, now=clock.now())
    assert sync(agent, api, **waiting)["confirmed_removals"] == [removal["id"]]


@pytest.mark.requires_postgres
def test_nothing_new_is_one_statement(serving, django_assert_num_queries):
    agent, api, stack = serving
    make_object(stack)
    said = {"agent_version": "1.0.0", "k8s_reachable": True}
    tag = sync(agent, api, **said)["tag"]
    sync(agent, api, tag=tag, **said)
    with django_assert_num_queries(1):
        sync(agent, api, tag=tag, **said)


@pytest.mark.parametrize("stacks", [1, 12])
def test_the_number_of_statements_does_not_depend_on_the_number_of_stacks(stacks, django_assert_num_queries):
    agent, api = make_agent(active=True)
    for _ in range(stacks):
        stack = make_stack()
        make_target(agent, stack)
        make_object(stack, manifest(next(_numbers)))
    sync(agent, api)
    # On SQLite the view answers: the key, the heartbeat and the look are statements of their own.
    with django_assert_num_queries(4 if connection.vendor == "postgresql" else 6):
        sync(agent, api)
