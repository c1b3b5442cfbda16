"""GET /fleet and GET /agents/{id}/fleet-status: what is measured of each agent."""

from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import Agent, AgentHeartbeat
from core.api.renderers import to_json
from fleet.api.serializers import FleetAgentRecordSerializer
from fleet.rollup import fleet_agents, records
from health.models import DeploymentHealth
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_event,
    make_generator,
    make_health,
    make_object,
    make_registration,
    make_stack,
    make_target,
    make_work_order,
    manifest,
)
from tests.support.api import refused
from tests.support.events import is_wire_time
from tests.support.waits import seconds_since
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db


def fleet(admin, query="") -> dict[str, dict[str, Any]]:
    """The records by the agents' ids."""
    response = admin.get(f"/fleet{query}")
    assert response.status_code == 200
    return {record["agent_id"]: record for record in response.json()}


def record_of(admin, agent) -> dict[str, Any]:
    """One agent's record, which both endpoints say alike."""
    listed = fleet(admin)[str(agent.id)]
    alone = admin.get(f"/agents/{agent.id}/fleet-status").json()["record"]
    ages = {"heartbeat_age_seconds", "seconds_since_last_event"}
    assert {name: alone[name] for name in alone.keys() - ages} == {
        name: listed[name] for name in listed.keys() - ages
    }
    return listed


def test_a_new_agent_has_nothing_to_show(admin):
    agent, _ = make_agent(name="edge", cluster_name="fra")
    assert record_of(admin, agent) == {
        "agent_id": str(agent.id),
        "name": "edge",
        "cluster_name": "fra",
        "status": "INACTIVE",
        "ws_connected": False,
        "connected_since": None,
        "last_heartbeat": None,
        "heartbeat_age_seconds": None,
        "silent": False,
        "silent_after_seconds": 300,
        "pending_object_count": 0,
        "pending_work_orders": 0,
        "claimed_work_orders": 0,
        "last_event_at": None,
        "seconds_since_last_event": None,
        "health_failing": 0,
        "health_degraded": 0,
        "k8s_reachable": None,
        "k8s_api_latency_ms": None,
    }


def test_a_heartbeat_is_shown_with_its_age_and_what_it_said(admin):
    agent, api = make_agent(active=True)
    api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 7})
    now = timezone.now()
    AgentHeartbeat.objects.update(last_heartbeat=now - timedelta(seconds=90))
    record = record_of(admin, agent)
    assert is_wire_time(record["last_heartbeat"])
    assert 90 <= record["heartbeat_age_seconds"] <= 90 + seconds_since(now)
    assert (record["status"], record["silent"]) == ("ACTIVE", False)
    assert (record["k8s_reachable"], record["k8s_api_latency_ms"]) == (True, 7)


def test_a_clock_that_runs_ahead_makes_no_negative_age(admin):
    agent, _ = make_agent()
    AgentHeartbeat.objects.update(last_heartbeat=timezone.now() + timedelta(minutes=5))
    assert record_of(admin, agent)["heartbeat_age_seconds"] == 0


def test_an_agent_is_silent_after_its_own_grace_or_the_settings(admin, settings):
    agent, _ = make_agent()
    AgentHeartbeat.objects.update(last_heartbeat=timezone.now() - timedelta(seconds=400))
    assert record_of(admin, agent)["silent"]
    settings.AGENT_SILENT_AFTER_SECONDS = 500
    assert not record_of(admin, agent)["silent"]
    Agent.objects.update(silent_after_seconds=60)
    record = record_of(admin, agent)
    assert (record["silent"], record["silent_after_seconds"]) == (True, 60)


def test_objects_count_until_the_agent_has_reported_on_them_whatever_it_said(admin):
    agent, _ = make_agent(labels=["a"])
    first, second = (make_object(make_stack(labels=["a"])) for _ in range(2))
    make_object(make_stack(labels=["b"]))
    assert record_of(admin, agent)["pending_object_count"] == 2
    make_event(agent, first, "FAILURE")
    assert record_of(admin, agent)["pending_object_count"] == 1
    make_event(make_agent()[0], second)
    assert record_of(admin, agent)["pending_object_count"] == 1
    make_object(first.stack, manifest(2))
    assert record_of(admin, agent)["pending_object_count"] == 2


def test_work_orders_count_as_pending_or_as_claimed(admin):
    agent, _ = make_agent(labels=["builder"])
    other, _ = make_agent(labels=["builder"])
    make_work_order()
    make_work_order(targeting=Targeting([agent.id]))
    make_claimed_work_order(agent)
    record, others = record_of(admin, agent), record_of(admin, other)
    assert (record["pending_work_orders"], record["claimed_work_orders"]) == (2, 1)
    assert (others["pending_work_orders"], others["claimed_work_orders"]) == (1, 0)


def test_the_newest_event_is_shown_with_its_age(admin):
    agent, _ = make_agent()
    for obj in (make_object(make_stack()), make_object(make_stack())):
        make_event(agent, obj)
    now = timezone.now()
    AgentHeartbeat.objects.filter(agent=agent).update(last_report_at=now - timedelta(seconds=30))
    record = record_of(admin, agent)
    assert is_wire_time(record["last_event_at"])
    assert 30 <= record["seconds_since_last_event"] <= 30 + seconds_since(now)


def test_troubles_count_while_they_are_fresh_and_their_objects_live(admin):
    agent, _ = make_agent()
    objects = [make_object(make_stack()) for _ in range(5)]
    for obj, status in zip(objects, ["failing", "failing", "degraded", "healthy", "unknown"], strict=True):
        make_health(agent, obj, status)
    record = record_of(admin, agent)
    assert (record["health_failing"], record["health_degraded"]) == (2, 1)
    admin.delete(f"/stacks/{objects[0].stack_id}")
    record = record_of(admin, agent)
    assert (record["health_failing"], record["health_degraded"]) == (1, 1)
    DeploymentHealth.objects.update(updated_at=timezone.now() - timedelta(seconds=301))
    record = record_of(admin, agent)
    assert (record["health_failing"], record["health_degraded"]) == (0, 0)


def test_deleted_agents_are_no_part_of_the_fleet(admin):
    agent, _ = make_agent()
    admin.delete(f"/agents/{agent.id}")
    assert fleet(admin) == {}
    refused(admin.get(f"/agents/{agent.id}/fleet-status"), 404, "agent_not_found")
    refused(admin.get(f"/agents/{uuid4()}/fleet-status"), 404, "agent_not_found")


def test_the_fleet_of_a_generator_is_what_is_registered_with_it(admin):
    generator, _ = make_generator()
    agent, _ = make_agent()
    make_agent()
    make_registration(agent, generator)
    assert list(fleet(admin, f"?pak_id={generator.id}")) == [str(agent.id)]
    assert fleet(admin, f"?pak_id={uuid4()}") == {}
    refused(admin.get("/fleet?pak_id=7"), 400, "invalid_query")


def test_a_page_says_the_same_as_the_whole(admin):
    agents = [make_agent(labels=["a", "builder"])[0] for _ in range(3)]
    make_target(agents[1], make_object(make_stack()).stack)
    make_object(make_stack(labels=["a"]))
    make_work_order()
    whole = admin.get("/fleet").json()
    assert [record["agent_id"] for record in whole] == [str(agent.id) for agent in agents]
    assert [record["pending_object_count"] for record in whole] == [1, 2, 1]
    first = admin.get("/fleet?limit=2&count=true")
    assert first.headers["X-Total-Count"] == "3"
    assert first.json() == whole[:2]
    path = first.headers["Link"].removeprefix("</api/v1").partition(">")[0]
    assert admin.get(path).json() == whole[2:]


def test_a_record_is_what_its_serializer_says(admin):
    fill(1)
    make_agent()
    AgentHeartbeat.objects.filter(agent__events__isnull=False).update(last_heartbeat=timezone.now())
    now = timezone.now()
    lines = records(list(fleet_agents().order_by("created_at", "id")), now=now)
    said = to_json(FleetAgentRecordSerializer(cast(Any, lines), many=True).data)
    assert orjson.loads(to_json(lines)) == orjson.loads(said)


def test_the_status_of_an_agent_has_its_newest_twenty_events(admin):
    agent, _ = make_agent()
    obj = make_object(make_stack())
    make_event(make_agent()[0], obj)
    events = [make_event(agent, obj, message="x" * number) for number in range(22)]
    shown = admin.get(f"/agents/{agent.id}/fleet-status").json()["recent_events"]
    assert [event["id"] for event in shown] == [str(event.id) for event in reversed(events)][:20]
    assert shown[0] == admin.get(f"/agent-events/{events[-1].id}").json()


def fill(agents: int) -> None:
    """Agents with something in every column."""
    generator, _ = make_generator()
    stack = make_stack(generator, labels=["all"], annotations={"k": "v"})
    obj = make_object(stack)
    for _ in range(agents):
        agent, _ = make_agent(labels=["all", "builder"], annotations={"k": "v"})
        make_target(agent, make_stack(generator))
        make_event(agent, obj)
        make_health(agent, obj, "failing")
        make_claimed_work_order(agent)
        make_work_order(targeting=Targeting([agent.id], ["builder"], {"k": "v"}))


def queries_of(admin, path) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(path).status_code == 200
    return len(captured)


def test_the_fleet_costs_the_same_number_of_queries_for_any_number_of_agents(admin):
    fill(10)
    admin.get("/fleet")
    ten = queries_of(admin, "/fleet"), queries_of(admin, "/fleet?limit=10")
    fill(30)
    assert (queries_of(admin, "/fleet"), queries_of(admin, "/fleet?limit=40")) == ten
    assert ten[0] <= 12


def test_an_agents_status_costs_the_same_for_any_number_of_everything(admin):
    fill(1)
    path = f"/agents/{Agent.objects.get().id}/fleet-status"
    admin.get(path)
    one = queries_of(admin, path)
    fill(5)
    assert queries_of(admin, path) == one


def test_more_agents_than_are_named_cost_the_same_and_say_the_same(admin, monkeypatch):
    fill(3)
    named, few = fleet(admin), queries_of(admin, "/fleet")
    monkeypatch.setattr("fleet.rollup._NAMED", 2)
    assert queries_of(admin, "/fleet") == few
    for agent_id, record in fleet(admin).items():
        for name in ("pending_object_count", "pending_work_orders", "claimed_work_orders", "health_failing"):
            assert record[name] == named[agent_id][name]


def test_only_admins_see_the_fleet():
    agent, api = make_agent()
    for caller in (api, make_generator()[1]):
        refused(caller.get("/fleet"), 403, "admin_required")
        refused(caller.get(f"/agents/{agent.id}/fleet-status"), 403, "admin_required")
