"""POST /agents/{id}/heartbeat."""

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from agents.models import AgentHeartbeat
from tests.factories import make_agent, make_generator
from tests.support.api import refused
from tests.support.events import is_wire_time, recorded_events

pytestmark = pytest.mark.django_db


def test_without_a_body_or_content_type_the_agent_is_alive_now():
    agent, api = make_agent()
    before = timezone.now()
    response = api.post(f"/agents/{agent.id}/heartbeat")
    assert (response.status_code, response.content) == (204, b"")
    row = AgentHeartbeat.objects.get(agent=agent)
    assert row.last_heartbeat is not None
    assert before <= row.last_heartbeat <= timezone.now()
    assert (row.k8s_reachable, row.k8s_api_latency_ms, row.k8s_reported_at) == (None, None, None)


def test_what_it_says_of_its_cluster_is_kept():
    agent, api = make_agent()
    body = {"k8s_reachable": True, "k8s_api_latency_ms": 12}
    assert api.post(f"/agents/{agent.id}/heartbeat", body).status_code == 204
    shown = api.get(f"/agents/{agent.id}").json()
    assert (shown["k8s_reachable"], shown["k8s_api_latency_ms"]) == (True, 12)
    assert is_wire_time(shown["last_heartbeat"])
    assert shown["k8s_reported_at"] == shown["last_heartbeat"]


def test_a_report_without_latency_forgets_the_older_latency():
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 12})
    api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": False})
    shown = api.get(f"/agents/{agent.id}").json()
    assert (shown["k8s_reachable"], shown["k8s_api_latency_ms"]) == (False, None)


@pytest.mark.parametrize("body", [..., {}, {"k8s_reachable": None}, {"k8s_api_latency_ms": 5}, {"zzz": 1}])
def test_saying_nothing_of_reachability_keeps_what_is_known(body):
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 12})
    before = api.get(f"/agents/{agent.id}").json()
    assert api.post(f"/agents/{agent.id}/heartbeat", body).status_code == 204
    after = api.get(f"/agents/{agent.id}").json()
    assert after["last_heartbeat"] > before["last_heartbeat"]
    assert after | {"last_heartbeat": ""} == before | {"last_heartbeat": ""}


def test_it_changes_neither_status_nor_updated_at_and_tells_nobody():
    agent, api = make_agent()
    before = api.get(f"/agents/{agent.id}").json()
    with recorded_events() as events:
        api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True})
    after = api.get(f"/agents/{agent.id}").json()
    assert (after["status"], after["updated_at"]) == ("INACTIVE", before["updated_at"])
    assert events == []


@pytest.mark.parametrize(
    "body",
    [
        {"k8s_reachable": "yes"},
        {"k8s_reachable": 1},
        {"k8s_reachable": True, "k8s_api_latency_ms": "12"},
        {"k8s_reachable": True, "k8s_api_latency_ms": 1.5},
        {"k8s_reachable": True, "k8s_api_latency_ms": 2**31},
        {"k8s_reachable": True, "k8s_api_latency_ms": -(2**31) - 1},
        [],
    ],
)
def test_a_wrong_shape_is_422_and_no_sign_of_life(body):
    agent, api = make_agent()
    refused(api.post(f"/agents/{agent.id}/heartbeat", body), 422, "invalid_request_body")
    assert AgentHeartbeat.objects.get(agent=agent).last_heartbeat is None


def test_broken_json_is_400_and_another_type_415():
    agent, api = make_agent()
    refused(api.post(f"/agents/{agent.id}/heartbeat", raw=b"{"), 400, "invalid_json")
    response = api.post(f"/agents/{agent.id}/heartbeat", raw=b"{}", content_type="text/plain")
    refused(response, 415, "unsupported_media_type")


def test_nobody_speaks_for_an_agent(admin, anonymous):
    agent, _ = make_agent()
    for api in (admin, make_agent()[1], make_generator()[1]):
        refused(api.post(f"/agents/{agent.id}/heartbeat"), 403, "agent_pak_mismatch")
        refused(api.post(f"/agents/{uuid4()}/heartbeat"), 403, "agent_pak_mismatch")
    refused(anonymous.post(f"/agents/{agent.id}/heartbeat"), 401, "unauthorized")
    assert AgentHeartbeat.objects.get(agent=agent).last_heartbeat is None


def test_it_is_one_update_and_at_most_a_look_at_the_key(django_assert_num_queries):
    agent, api = make_agent()
    api.post(f"/agents/{agent.id}/heartbeat")
    # On PostgreSQL the key is in the update itself.
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
        api.post(f"/agents/{agent.id}/heartbeat", {"k8s_reachable": True, "k8s_api_latency_ms": 1})
