"""Agent v0.9.1, whose generated client takes documented statuses only: the calls it makes, against a live broker."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.live_api import created, live_client
from tests.support.scripted_agent import (
    AGENT,
    DELIVERY,
    DEPLOYMENT_OBJECT,
    DIAGNOSTIC,
    DIAGNOSTIC_RESULT,
    ERROR,
    EVENT,
    SUCCESSES,
    WORK_ORDER,
    WORK_ORDER_LOG,
    Call,
    Mission,
    ScriptedAgent,
    make_mission,
    sent_to,
)
from tests.support.server import NO_TLS, LiveServer

pytestmark = [pytest.mark.live, pytest.mark.any_database("what this release of the agent sends and reads")]

API = "/api/v1"
HEADERS = {"api-version": "0.9.1"}
AUTH = "admin:bool readonly:bool agent:uuid? generator:uuid?"
AGENT_WITH_CLUSTER = f"{AGENT} k8s_reachable:bool? k8s_api_latency_ms:int? k8s_reported_at:time?"
REGISTRATION = "id:uuid agent_id:uuid generator_id:uuid registered_at:time"
REPORT = {"agent_id": "{agent}", "deployment_object_id": "{object}", "event_type": "DEPLOY"}
HEALTH = {
    "id": "{object}",
    "status": "degraded",
    "summary": {
        "pods_ready": 0,
        "pods_total": 1,
        "conditions": ["ImagePullBackOff"],
        "resources": [
            {"kind": "Pod", "name": "web", "namespace": "shop", "ready": False, "message": "waiting"}
        ],
    },
    "checked_at": "2026-11-24T09:45:00.123456789Z",
}
FOUND = {"pod_statuses": "[]", "events": "[]", "log_tails": "{}", "collected_at": "2026-11-24T09:45:00Z"}
DELIVERED = {"success": True, "status_code": 204, "duration_ms": 12}
CLAIM = {"agent_id": "{agent}"}

CALLS = [
    Call(1, "GET /readyz", SUCCESSES, with_key=False),
    Call(2, f"POST {API}/auth/pak", {200}, reads=AUTH),
    Call(3, "GET /internal/ws/agent", {404}, reads=ERROR),
    Call(
        4,
        f"GET {API}/agents/?cluster_name={{cluster}}&name={{name}}",
        {200},
        reads=AGENT_WITH_CLUSTER,
        keeps="agent",
    ),
    Call(5, f"POST {API}/generators/{{generator}}/register", {201}, sends={}, reads=REGISTRATION),
    Call(
        6,
        f"POST {API}/agents/{{agent}}/heartbeat",
        {204},
        sends={"k8s_reachable": True, "k8s_api_latency_ms": 12},
    ),
    Call(7, f"GET {API}/agents/{{agent}}/target-state", {200}, reads=[DEPLOYMENT_OBJECT], keeps="object"),
    Call(8, f"POST {API}/agents/{{agent}}/events", {201}, sends=REPORT | {"status": "SUCCESS"}, reads=EVENT),
    Call(9, f"PATCH {API}/agents/{{agent}}/health-status", {200}, sends={"deployment_objects": [HEALTH]}),
    Call(10, f"GET {API}/agents/{{agent}}/work-orders/pending", {200}, reads=[WORK_ORDER], keeps="order"),
    Call(11, f"POST {API}/work-orders/{{order}}/claim", {200}, sends=CLAIM, reads=WORK_ORDER),
    Call(
        12,
        f"POST {API}/work-orders/{{order}}/complete",
        {200},
        sends={"success": True, "message": "sha256:9f86", "retryable": True},
        reads=WORK_ORDER_LOG,
    ),
    Call(
        13, f"GET {API}/agents/{{agent}}/diagnostics/pending", {200}, reads=[DIAGNOSTIC], keeps="diagnostic"
    ),
    Call(14, f"POST {API}/diagnostics/{{diagnostic}}/claim", {200}, reads=DIAGNOSTIC),
    Call(15, f"GET {API}/deployment-objects/{{object}}", {200}, reads=DEPLOYMENT_OBJECT),
    Call(16, f"POST {API}/diagnostics/{{diagnostic}}/result", {201}, sends=FOUND, reads=DIAGNOSTIC_RESULT),
    Call(17, f"GET {API}/agents/{{agent}}/webhooks/pending", {200}, reads=[DELIVERY], keeps="delivery"),
    Call(18, f"POST {API}/webhook-deliveries/{{delivery}}/result", {200}, sends=DELIVERED),
]
# The same calls when the work has gone wrong.
FAILURES = [
    Call(6, f"POST {API}/agents/{{agent}}/heartbeat", {204}, sends={"k8s_reachable": False}),
    Call(
        8,
        f"POST {API}/agents/{{agent}}/events",
        {201},
        sends=REPORT | {"status": "FAILURE", "message": "document 2: did not find expected key"},
        reads=EVENT,
    ),
    # Of a retry it does not look at the body.
    Call(
        12,
        f"POST {API}/work-orders/{{order}}/complete",
        {202},
        sends={"success": False, "message": "out of disk", "retryable": True},
    ),
    Call(
        18,
        f"POST {API}/webhook-deliveries/{{delivery}}/result",
        {200},
        sends={"success": False, "status_code": 404, "error": "not found", "duration_ms": 3},
    ),
]


@pytest.fixture
def mission(broker: LiveServer, request: pytest.FixtureRequest) -> Mission:
    return make_mission(broker, f"v0.9-{request.node.name[:40]}")


@pytest.fixture
def agent(broker: LiveServer, mission: Mission) -> Iterator[ScriptedAgent]:
    with sent_to(broker, mission, CALLS, HEADERS) as agent:
        yield agent


@pytest.fixture
def unlucky(broker: LiveServer, mission: Mission) -> Iterator[ScriptedAgent]:
    """The same agent when its work goes wrong."""
    with sent_to(broker, mission, [*CALLS, *FAILURES], HEADERS) as agent:
        yield agent


def test_it_makes_every_call_in_order_and_all_its_work_is_done(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    agent.perform_all()
    with live_client(broker, broker.admin_key) as admin:
        seen = created(admin.get(f"/agents/{mission.agent_id}"))
        registered = created(admin.get(f"/agents/{mission.agent_id}/registrations"))
        events = created(admin.get(f"/agents/{mission.agent_id}/events"))
        order = created(admin.get(f"/work-order-log/{mission.order_id}"))
        health = created(admin.get(f"/deployment-objects/{mission.object_id}/health"))
        diagnostic = created(admin.get(f"/diagnostics/{mission.diagnostic_id}"))
        (delivery,) = created(admin.get(f"/webhooks/{mission.webhook_id}/deliveries"))
    assert (seen["k8s_reachable"], seen["k8s_api_latency_ms"]) == (True, 12)
    assert mission.generator_id in {row["generator_id"] for row in registered}
    assert [(event["deployment_object_id"], event["status"]) for event in events] == [
        (mission.object_id, "SUCCESS")
    ]
    assert (order["success"], order["result_message"]) == (True, "sha256:9f86")
    assert (health["overall_status"], len(health["health_records"])) == ("degraded", 1)
    assert (diagnostic["request"]["status"], diagnostic["result"]["log_tails"]) == ("completed", "{}")
    assert (delivery["status"], delivery["event_type"]) == ("success", "deployment.applied")


def test_it_reports_what_went_wrong(broker: LiveServer, mission: Mission, unlucky: ScriptedAgent):
    unlucky.perform_all()
    with live_client(broker, broker.admin_key) as admin:
        seen = created(admin.get(f"/agents/{mission.agent_id}"))
        (event,) = created(admin.get(f"/agents/{mission.agent_id}/events"))
        order = created(admin.get(f"/work-orders/{mission.order_id}"))
        (delivery,) = created(admin.get(f"/webhooks/{mission.webhook_id}/deliveries"))
    assert (seen["k8s_reachable"], seen["k8s_api_latency_ms"]) == (False, None)
    assert (event["status"], event["message"]) == ("FAILURE", "document 2: did not find expected key")
    assert (order["status"], order["last_error"], order["retry_count"]) == ("RETRY_PENDING", "out of disk", 1)
    # What the endpoint says for good is not tried again.
    assert (delivery["status"], delivery["event_type"]) == ("dead", "deployment.failed")


def test_its_key_tells_who_it_is(mission: Mission, agent: ScriptedAgent):
    auth = agent.perform(2)
    assert (auth["admin"], auth["readonly"], auth["agent"]) == (False, False, mission.agent_id)


def test_its_socket_is_answered_that_there_is_none(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    upgrade = {
        "Authorization": f"Bearer {mission.agent_key}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    # After five answers of 401 or 403 it would never dial again; after 101 it would send everything there.
    for headers in (upgrade, upgrade | {"Authorization": "Bearer brokkr_BRnobody_nobody"}):
        with httpx.Client(base_url=broker.url, headers=headers, timeout=60, verify=NO_TLS) as client:
            assert client.get("/internal/ws/agent").status_code == 404
    for number in (4, 6, 7, 8):
        agent.perform(number)


def test_what_is_still_targeted_is_in_every_answer(mission: Mission, agent: ScriptedAgent):
    # It deletes from its cluster what was in one answer and is not in the next.
    agent.perform(4)
    for _ in range(2):
        offered = agent.offered(7)
        assert offered.keys() == {mission.targeted_id, mission.labelled_id}
        for obj in offered.values():
            agent.perform(8, object=obj["id"])


def test_a_deleted_stack_is_offered_as_a_marker_until_it_is_reported(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    agent.perform(4)
    agent.perform(8, object=mission.object_id)
    with live_client(broker, broker.admin_key) as admin:
        assert admin.delete(f"/stacks/{mission.labelled_id}").status_code == 204
    marker = agent.offered(7)[mission.labelled_id]
    assert (marker["yaml_content"], marker["is_deletion_marker"]) == ("", True)
    agent.perform(8, object=marker["id"])
    assert agent.offered(7).keys() == {mission.targeted_id}


def test_what_is_taken_or_done_is_refused_as_it_expects(mission: Mission, agent: ScriptedAgent):
    for number in (4, 5, 10, 11, 13, 14):
        agent.perform(number)
    assert agent.perform(10) == []
    assert agent.perform(13) == []
    assert agent.refusal(5) == (409, "already_registered")
    assert agent.refusal(11) == (404, "work_order_not_claimable")
    assert agent.refusal(14) == (409, "diagnostic_already_claimed")
    agent.perform(12)
    assert agent.refusal(12) == (404, "work_order_not_found")


def test_it_is_told_that_its_key_or_its_name_is_wrong(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    assert agent.refusal(4, cluster="another cluster") == (404, "agent_not_found")
    with ScriptedAgent(broker, "brokkr_BRnobody_nobody", CALLS) as stranger:
        assert stranger.refusal(2) == (401, "unauthorized")


def test_another_agent_is_refused_what_is_not_its_own(
    broker: LiveServer, mission: Mission, agent: ScriptedAgent
):
    agent.perform(4)
    known = dict(agent.known, object=mission.object_id, order=mission.order_id)
    with live_client(broker, broker.admin_key) as admin:
        body = {"name": f"{mission.name} other", "cluster_name": "live"}
        key = created(admin.post("/agents", json=body))["initial_pak"]
    with ScriptedAgent(broker, key, CALLS, **known) as other:
        for number in (4, 6, 7, 8, 9, 10, 11, 13, 17):
            assert other.refusal(number) == (403, "agent_pak_mismatch")
        assert other.refusal(15) == (403, "agent_not_associated")
