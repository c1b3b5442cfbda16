"""Agent v0.2.0, whose HTTP calls were written by hand: the calls it makes, against a live broker."""

from collections.abc import Iterator

import pytest

from tests.support.live_api import created, live_client
from tests.support.scripted_agent import (
    AGENT,
    DELIVERY,
    DEPLOYMENT_OBJECT,
    DIAGNOSTIC,
    SUCCESSES,
    WORK_ORDER,
    Call,
    Mission,
    ScriptedAgent,
    make_mission,
    sent_to,
)
from tests.support.server import LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("what this release of the agent sends and reads")]

API = "/api/v1"
REPORT = {"agent_id": "{agent}", "deployment_object_id": "{object}", "event_type": "DEPLOY"}
HEALTH = {
    "id": "{object}",
    "status": "healthy",
    "summary": {"pods_ready": 1, "pods_total": 1, "conditions": [], "resources": []},
    "checked_at": "2026-11-24T09:45:00.123456789Z",
}
FOUND = {"pod_statuses": "[]", "events": "[]", "log_tails": None, "collected_at": "2026-11-24T09:45:00Z"}
DELIVERED = {"success": True, "status_code": 200, "error": None, "duration_ms": 12}

CALLS = [
    Call(1, "GET /readyz", SUCCESSES, with_key=False),
    Call(2, f"POST {API}/auth/pak", {200}, sends={}),
    Call(3, f"GET {API}/agents/?name={{name}}&cluster_name={{cluster}}", {200}, reads=AGENT, keeps="agent"),
    Call(4, f"POST {API}/agents/{{agent}}/heartbeat", {200, 204}),
    Call(5, f"GET {API}/agents/{{agent}}/target-state", {200}, reads=[DEPLOYMENT_OBJECT], keeps="object"),
    Call(
        6,
        f"POST {API}/agents/{{agent}}/events",
        {200, 201},
        sends=REPORT | {"status": "SUCCESS", "message": None},
    ),
    Call(7, f"GET {API}/agents/{{agent}}/work-orders/pending", {200}, reads=[WORK_ORDER], keeps="order"),
    Call(
        8, f"POST {API}/work-orders/{{order}}/claim", {200}, sends={"agent_id": "{agent}"}, reads=WORK_ORDER
    ),
    Call(
        9,
        f"POST {API}/work-orders/{{order}}/complete",
        {200, 202},
        sends={"success": True, "message": "sha256:9f86", "retryable": False},
    ),
    Call(
        10, f"PATCH {API}/agents/{{agent}}/health-status", {200, 204}, sends={"deployment_objects": [HEALTH]}
    ),
    Call(
        11, f"GET {API}/agents/{{agent}}/diagnostics/pending", {200}, reads=[DIAGNOSTIC], keeps="diagnostic"
    ),
    Call(12, f"POST {API}/diagnostics/{{diagnostic}}/claim", {200}, reads=DIAGNOSTIC),
    Call(13, f"POST {API}/diagnostics/{{diagnostic}}/result", {200, 201}, sends=FOUND),
    Call(14, f"GET {API}/agents/{{agent}}/webhooks/pending", {200}, reads=[DELIVERY], keeps="delivery"),
    Call(15, f"POST {API}/webhook-deliveries/{{delivery}}/result", {200}, sends=DELIVERED),
]
# The same calls when the work has gone wrong.
FAILURES = [
    Call(
        6,
        f"POST {API}/agents/{{agent}}/events",
        {200, 201},
        sends=REPORT | {"status": "FAILURE", "message": "no such namespace"},
    ),
    Call(
        9,
        f"POST {API}/work-orders/{{order}}/complete",
        {200, 202},
        sends={"success": False, "message": "out of disk", "retryable": True},
    ),
    Call(
        15,
        f"POST {API}/webhook-deliveries/{{delivery}}/result",
        {200},
        sends={"success": False, "status_code": None, "error": "connection refused", "duration_ms": None},
    ),
]


@pytest.fixture
def mission(broker: LiveServer, request: pytest.FixtureRequest) -> Mission:
    return make_mission(broker, f"v0.2-{request.node.name[:40]}")


@pytest.fixture
def agent(broker: LiveServer, mission: Mission) -> Iterator[ScriptedAgent]:
    with sent_to(broker, mission, CALLS) as agent:
        yield agent


@pytest.fixture
def unlucky(broker: LiveServer, mission: Mission) -> Iterator[ScriptedAgent]:
    """The same agent when its work goes wrong."""
    with sent_to(broker, mission, [*CALLS, *FAILURES]) as agent:
        yield agent


def test_it_makes_every_call_in_order_and_all_its_work_is_done(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    agent.perform_all()
    with live_client(broker, broker.admin_key) as admin:
        seen = created(admin.get(f"/agents/{mission.agent_id}"))
        events = created(admin.get(f"/agents/{mission.agent_id}/events"))
        order = created(admin.get(f"/work-order-log/{mission.order_id}"))
        health = created(admin.get(f"/deployment-objects/{mission.object_id}/health"))
        diagnostic = created(admin.get(f"/diagnostics/{mission.diagnostic_id}"))
        (delivery,) = created(admin.get(f"/webhooks/{mission.webhook_id}/deliveries"))
    assert seen["last_heartbeat"] is not None
    assert seen["k8s_reachable"] is None
    assert [(event["deployment_object_id"], event["status"]) for event in events] == [
        (mission.object_id, "SUCCESS")
    ]
    assert (order["success"], order["result_message"]) == (True, "sha256:9f86")
    assert (health["overall_status"], len(health["health_records"])) == ("healthy", 1)
    assert (diagnostic["request"]["status"], diagnostic["result"]["events"]) == ("completed", "[]")
    assert (delivery["status"], delivery["event_type"]) == ("success", "deployment.applied")


def test_it_reports_what_went_wrong(broker: LiveServer, mission: Mission, unlucky: ScriptedAgent):
    unlucky.perform_all()
    with live_client(broker, broker.admin_key) as admin:
        (event,) = created(admin.get(f"/agents/{mission.agent_id}/events"))
        order = created(admin.get(f"/work-orders/{mission.order_id}"))
        (delivery,) = created(admin.get(f"/webhooks/{mission.webhook_id}/deliveries"))
    assert (event["status"], event["message"]) == ("FAILURE", "no such namespace")
    assert (order["status"], order["last_error"], order["retry_count"]) == ("RETRY_PENDING", "out of disk", 1)
    assert (delivery["status"], delivery["event_type"]) == ("failed", "deployment.failed")
    assert "connection refused" in delivery["last_error"]


def test_what_it_has_reported_is_left_out_in_incremental_mode_only(mission: Mission, agent: ScriptedAgent):
    agent.perform(3)
    both = {mission.targeted_id, mission.labelled_id}
    assert agent.offered(5).keys() == both
    assert agent.offered(5, query="?mode=incremental").keys() == both
    agent.perform(6, object=mission.object_id)
    assert agent.offered(5).keys() == both
    assert agent.offered(5, query="?mode=full").keys() == both
    assert agent.offered(5, query="?mode=incremental").keys() == {mission.targeted_id}


def test_a_deleted_stack_is_offered_as_a_marker_until_it_is_reported(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    agent.perform(3)
    agent.perform(6, object=mission.object_id)
    with live_client(broker, broker.admin_key) as admin:
        assert admin.delete(f"/stacks/{mission.labelled_id}").status_code == 204
    for query in ("", "?mode=incremental"):
        marker = agent.offered(5, query=query)[mission.labelled_id]
        # It looks at the text only: without documents it removes what has the stack's annotation.
        assert (marker["yaml_content"], marker["is_deletion_marker"]) == ("", True)
        assert marker["id"] != mission.object_id
    agent.perform(6, object=marker["id"])
    assert agent.offered(5).keys() == {mission.targeted_id}


def test_an_order_or_diagnostic_that_is_taken_is_refused_as_it_expects(
    mission: Mission, agent: ScriptedAgent
):
    agent.perform(3)
    for number in (7, 8, 11, 12):
        agent.perform(number)
    assert agent.perform(7) == []
    assert agent.perform(11) == []
    assert agent.refusal(8) == (404, "work_order_not_claimable")
    assert agent.refusal(12) == (409, "diagnostic_already_claimed")


def test_it_is_told_that_its_key_or_its_name_is_wrong(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    assert agent.refusal(3, cluster="another cluster") == (404, "agent_not_found")
    with ScriptedAgent(broker, "brokkr_BRnobody_nobody", CALLS) as stranger:
        stranger.perform(1)
        assert stranger.refusal(2) == (401, "unauthorized")


def test_an_inactive_agent_beats_and_reads_itself(broker: LiveServer, mission: Mission, agent: ScriptedAgent):
    with live_client(broker, broker.admin_key) as admin:
        created(admin.put(f"/agents/{mission.agent_id}", json={"status": "INACTIVE"}))
        assert agent.perform(3)["status"] == "INACTIVE"
        agent.perform(4)
        created(admin.put(f"/agents/{mission.agent_id}", json={"status": "ACTIVE"}))
    seen = agent.perform(3)
    assert (seen["status"], seen["last_heartbeat"] is not None) == ("ACTIVE", True)
