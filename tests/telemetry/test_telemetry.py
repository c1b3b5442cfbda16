"""What a broker without WebSockets answers where only they would bring something."""

import pytest
from django.test import Client

from paks.models import Pak, Role
from tests.factories import make_agent, make_generator, make_stack
from tests.support.api import refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("answers that are the same without rows")]


@pytest.fixture
def stack():
    return make_stack()


@pytest.mark.parametrize(("route", "rows"), [("events", "events"), ("logs", "lines")])
@pytest.mark.parametrize(
    "query",
    ["", "?since=2020-01-01T00:00:00Z&limit=99999", "?limit=-5", "?since=2099-01-01T00:00:00%2B02:00"],
)
def test_a_stack_has_no_telemetry_and_says_where_to_look(admin, stack, route, rows, query):
    response = admin.get(f"/stacks/{stack.id}/{route}{query}")
    assert response.status_code == 200
    body = response.json()
    hint = body["retention"].pop("long_term_sink_hint")
    assert "Datadog" in hint
    assert body == {
        "retention": {
            "retention_ceiling_seconds": 21600,
            "effective_retention_seconds": 21600,
            "oldest_available_ts": None,
        },
        rows: [],
    }


@pytest.mark.parametrize("route", ["events", "logs"])
@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-11-24T09:45:00", "limit=many", "limit=1.5"])
def test_a_wrong_query_is_400(admin, stack, route, query):
    refused(admin.get(f"/stacks/{stack.id}/{route}?{query}"), 400, "invalid_query")


@pytest.mark.parametrize("route", ["events", "logs"])
def test_the_owner_reads_and_others_do_not(admin, route):
    generator, owner = make_generator()
    stack = make_stack(generator, labels=["shared"])
    assert owner.get(f"/stacks/{stack.id}/{route}").status_code == 200
    for api in (make_generator()[1], make_agent(labels=["shared"])[1]):
        refused(api.get(f"/stacks/{stack.id}/{route}"), 403, "stack_not_owned")
    admin.delete(f"/stacks/{stack.id}")
    refused(owner.get(f"/stacks/{stack.id}/{route}"), 404, "stack_not_found")


def test_there_are_no_connections(admin):
    assert admin.get("/admin/ws/connections").json() == {
        "connected_agents": 0,
        "connections": [],
        "live_subscribers": 0,
    }
    refused(make_generator()[1].get("/admin/ws/connections"), 403, "admin_required")


def test_a_websocket_is_refused_with_404_whoever_asks():
    _, api = make_agent()
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    for path in ("/internal/ws/agent", "/api/v1/fleet/live", "/api/v1/stacks/7/live"):
        for authorization in ({}, {"Authorization": f"Bearer {api.key}"}):
            body = refused(Client(headers=headers | authorization).get(path), 404, "not_found")
            assert body["details"] == {"path": path}


def metrics(anonymous) -> list[str]:
    return [line for line in anonymous.get("/metrics").content.decode().splitlines() if line[0] != "#"]


def test_the_metrics_of_websockets_are_there_and_zero(anonymous):
    lines = metrics(anonymous)
    assert {
        "brokkr_ws_connected_agents 0.0",
        "brokkr_ws_live_subscribers 0.0",
        "brokkr_fleet_live_subscribers 0.0",
        'brokkr_ws_messages_total{direction="in",type="heartbeat"} 0.0',
        'brokkr_ws_messages_total{direction="out",type="work_order"} 0.0',
        "brokkr_ws_log_eviction_runs_total 0.0",
        'brokkr_ws_telemetry_evicted_total{table="agent_pod_logs"} 0.0',
    } <= set(lines)


def test_a_metric_warns_of_the_public_development_key(anonymous, settings):
    name = "brokkr_default_admin_pak_hash_in_use"
    assert f"{name} 0.0" in metrics(anonymous)
    pak = Pak.objects.create(role=Role.ADMIN, name="dev", key_hash=settings.DEVELOPMENT_PAK_HASH)
    assert f"{name} 1.0" in metrics(anonymous)
    Pak.objects.filter(pk=pak.pk).update(revoked_at=pak.created_at)
    assert f"{name} 0.0" in metrics(anonymous)
