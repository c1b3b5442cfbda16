"""PUT /agents/{id}."""

from uuid import uuid4

import pytest

from agents.models import Agent
from agents.services.agents import delete_agent
from core.events import SYSTEM
from tests.factories import make_agent, make_generator
from tests.support.api import refused
from tests.support.events import notices, recorded_audit, recorded_events

pytestmark = pytest.mark.django_db


def test_an_agent_may_activate_itself(admin):
    agent, api = make_agent(name="edge")
    for caller, status in ((api, "ACTIVE"), (admin, "INACTIVE"), (admin, "draining, back soon")):
        response = caller.put(f"/agents/{agent.id}", {"status": status})
        assert response.status_code == 200
        assert (response.json()["status"], response.json()["name"]) == (status, "edge")


def test_name_and_cluster_change(admin):
    agent, _ = make_agent()
    answer = admin.put(f"/agents/{agent.id}", {"name": "n", "cluster_name": "c"}).json()
    assert (answer["name"], answer["cluster_name"]) == ("n", "c")
    assert answer["updated_at"] > answer["created_at"]


def test_the_whole_object_may_be_sent_back_and_read_only_fields_stay():
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 3})
    whole = api.get(f"/agents/{agent.id}").json()
    sent = whole | {
        "status": "ACTIVE",
        "created_at": "2000-01-01T00:00:00Z",
        "deleted_at": "2000-01-01T00:00:00Z",
        "last_heartbeat": "2000-01-01T00:00:00Z",
        "k8s_reachable": False,
        "k8s_api_latency_ms": 99,
    }
    answer = api.put(f"/agents/{agent.id}", sent).json()
    assert answer["updated_at"] > whole["updated_at"]
    assert answer | {"updated_at": ""} == whole | {"status": "ACTIVE", "updated_at": ""}


def test_how_long_an_agent_may_be_silent_is_set_and_cleared_by_an_admin(admin):
    agent, _ = make_agent()
    for seconds in (3600, 1, None):
        with recorded_audit() as rows:
            answer = admin.put(f"/agents/{agent.id}", {"silent_after_seconds": seconds}).json()
        assert answer["silent_after_seconds"] == seconds
        assert rows[0].details["silent_after_seconds"] == seconds
    admin.put(f"/agents/{agent.id}", {"silent_after_seconds": 60})
    assert admin.put(f"/agents/{agent.id}", {"status": "x"}).json()["silent_after_seconds"] == 60


def test_an_agent_does_not_say_how_long_it_may_be_silent(admin):
    agent, api = make_agent()
    admin.put(f"/agents/{agent.id}", {"silent_after_seconds": 60})
    for other in (61, None):
        refused(api.put(f"/agents/{agent.id}", {"silent_after_seconds": other}), 403, "admin_required")
    answer = api.put(f"/agents/{agent.id}", {"silent_after_seconds": 60, "status": "ACTIVE"}).json()
    assert (answer["silent_after_seconds"], answer["status"]) == (60, "ACTIVE")


def test_an_empty_object_is_no_change(admin):
    agent, _ = make_agent(name="same")
    response = admin.put(f"/agents/{agent.id}", {})
    assert (response.status_code, response.json()["name"]) == (200, "same")


def test_another_id_in_the_body_is_400(admin):
    agent, _ = make_agent()
    refused(admin.put(f"/agents/{agent.id}", {"id": str(uuid4())}), 400, "agent_id_mismatch")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"cluster_name": " "},
        {"cluster_name": "x" * 256},
        {"status": ""},
        {"status": "x" * 51},
        {"silent_after_seconds": 0},
        {"silent_after_seconds": -1},
    ],
)
def test_blank_or_overlong_text_and_no_grace_at_all_are_400(admin, body):
    agent, _ = make_agent(name="same")
    refused(admin.put(f"/agents/{agent.id}", body), 400, "invalid_agent")
    assert Agent.objects.get(id=agent.id).name == "same"


@pytest.mark.parametrize(
    "body", [{"name": 1}, {"status": None}, {"status": True}, {"id": "x"}, {"silent_after_seconds": "9"}, []]
)
def test_a_wrong_shape_is_422(admin, body):
    refused(admin.put(f"/agents/{make_agent()[0].id}", body), 422, "invalid_request_body")


def test_a_taken_pair_is_409(admin):
    make_agent(name="a", cluster_name="c")
    agent, _ = make_agent(name="b", cluster_name="c")
    body = refused(admin.put(f"/agents/{agent.id}", {"name": "a"}), 409, "unique_violation")
    assert body["details"]["constraint"] == "unique_agent_cluster"


def test_others_are_403_and_unknown_or_deleted_404(admin):
    agent, _ = make_agent()
    for api in (make_agent()[1], make_generator()[1]):
        refused(api.put(f"/agents/{agent.id}", {"status": "ACTIVE"}), 403, "agent_pak_mismatch")
    refused(admin.put(f"/agents/{uuid4()}", {"status": "ACTIVE"}), 404, "agent_not_found")
    delete_agent(agent=agent, actor=SYSTEM)
    refused(admin.put(f"/agents/{agent.id}", {"status": "ACTIVE"}), 404, "agent_not_found")


def test_it_is_audited_with_its_true_author_and_the_world_is_not_told():
    agent, api = make_agent(name="edge", cluster_name="fra")
    with recorded_events() as events, recorded_audit() as rows:
        api.put(f"/agents/{agent.id}", {"status": "ACTIVE"})
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("agent.updated", "agent", agent.id)
    ]
    assert rows[0].details == {"name": "edge", "cluster_name": "fra", "status": "ACTIVE"}
    assert (rows[0].actor_type, rows[0].actor_id) == ("agent", agent.id)
    assert notices(events) == []
