"""Health and metrics: no key, truthful, and plain when the database is gone."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from agents.models import AgentHeartbeat
from core import metrics, observation
from core.events import SYSTEM
from stacks.services import delete_stack
from tests.factories import make_agent, make_object, make_stack, make_work_order
from tests.support.waits import seconds_since

pytestmark = pytest.mark.django_db
LIVE = ["/healthz", "/health/live"]
READY = ["/health/ready", "/readyz"]


@contextmanager
def no_database(error: Exception):
    """Every statement fails as it does when the server is gone."""

    def refuse(*args: object) -> None:
        raise error

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture(params=[OperationalError("gone"), InterfaceError("gone")], ids=["operational", "interface"])
def database_is_gone(request, monkeypatch):
    def refuse(*args: object) -> None:
        raise request.param

    monkeypatch.setattr(connection, "close", lambda: None)  # the test's transaction lives in it
    # Prepared statements do not go through Django's cursor.
    monkeypatch.setattr("core.api.probes.fetch_all", refuse)
    with no_database(request.param):
        yield


@pytest.mark.parametrize("path", LIVE)
def test_liveness_is_200_and_asks_no_database(path, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get(path)
    assert (response.status_code, response.content) == (200, b"OK")
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", LIVE)
def test_liveness_stays_200_without_a_database(path, database_is_gone):
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("path", READY)
def test_readiness_really_asks_the_database(path, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = Client().get(path)
    assert (response.status_code, response.content) == (200, b"Ready")


@pytest.mark.parametrize("path", READY)
def test_readiness_is_503_without_a_database(path, database_is_gone):
    response = Client().get(path)
    assert (response.status_code, response.content) == (503, b"database unavailable")
    assert response.headers["Content-Type"].startswith("text/plain")


def test_health_is_a_summary_in_json():
    response = Client().get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok"}


def test_health_says_what_is_missing(database_is_gone):
    response = Client().get("/health")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "unavailable"}


def test_metrics_are_503_without_a_database(database_is_gone):
    response = Client().get("/metrics")
    assert (response.status_code, response.content) == (503, b"database unavailable")


@pytest.mark.parametrize("path", [*LIVE, *READY, "/health", "/metrics"])
def test_probes_take_get_and_head_and_nothing_else(path):
    client = Client()
    assert client.get(path).status_code == 200
    headed = client.head(path)
    assert (headed.status_code, headed.content) == (200, b"")
    response = client.post(path)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


# --- Metrics ----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _count_from_zero() -> None:
    """What all tests before have counted would take longer to read than to count."""
    metrics.REQUESTS.clear()
    metrics.DURATIONS.clear()
    observation._counter.cache_clear()
    observation._observer.cache_clear()


def samples(name: str) -> dict[frozenset[tuple[str, str]], float]:
    """The values of one metric by their labels, as a scraper reads them."""
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        frozenset(sample.labels.items()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
        if sample.name == name
    }


def value(name: str, **labels: str) -> float:
    return samples(name).get(frozenset(labels.items()), 0)


REQUESTS = "brokkr_http_requests_total"


def test_requests_are_counted_by_route_method_and_status(admin):
    agent, _ = make_agent()
    labels = {"endpoint": "/api/v1/agents/:id", "method": "GET", "status": "200"}
    before = value(REQUESTS, **labels)
    admin.get(f"/agents/{agent.id}")
    admin.get(f"/agents/{agent.id}")
    assert value(REQUESTS, **labels) == before + 2


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "status"),
    [
        ("GET", "/stacks/x", "/api/v1/stacks/:id", "400"),
        (
            "DELETE",
            f"/stacks/{'0' * 8}-0000-0000-0000-{'0' * 12}/labels/a",
            "/api/v1/stacks/:id/labels/:label",
            "404",
        ),
        ("DELETE", "/agents/x/targets/y", "/api/v1/agents/:id/targets/:id", "400"),
        ("PROPFIND", "/stacks", "/api/v1/stacks", "405"),
        ("GET", "/agents/", "/api/v1/agents/", "400"),
        ("GET", "/invented-by-a-scanner", "unmatched", "404"),
    ],
)
def test_the_endpoint_holds_no_id_and_no_invented_path(admin, method, path, endpoint, status):
    labels = {
        "endpoint": endpoint,
        "method": method if method != "PROPFIND" else "OTHER",
        "status": status,
    }
    before = value(REQUESTS, **labels)
    admin.request(method, path)
    assert value(REQUESTS, **labels) == before + 1


def test_the_time_of_each_request_is_in_the_histogram(admin):
    labels = {"endpoint": "/api/v1/generators", "method": "GET"}
    before = value("brokkr_http_request_duration_seconds_count", **labels)
    admin.get("/generators")
    assert value("brokkr_http_request_duration_seconds_count", **labels) == before + 1
    buckets = {
        dict(key)["le"]
        for key in samples("brokkr_http_request_duration_seconds_bucket")
        if labels.items() <= dict(key).items()
    }
    assert buckets == {
        "0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf",
    }  # fmt: skip


def test_scrapes_are_not_counted():
    Client().get("/metrics")
    assert not [labels for labels in samples(REQUESTS) if ("endpoint", "/metrics") in labels]


def test_the_gauges_say_what_is_in_the_database_now():
    assert value("brokkr_stacks_total") == 0
    one, two = make_stack(), make_stack()
    make_object(one)
    make_object(one)
    assert value("brokkr_stacks_total") == 2
    assert value("brokkr_deployment_objects_total") == 2
    delete_stack(stack=one, actor=SYSTEM)
    # The deleted stack's objects are gone; its marker is one.
    assert value("brokkr_stacks_total") == 1
    assert value("brokkr_deployment_objects_total") == 1
    delete_stack(stack=two, actor=SYSTEM)
    assert value("brokkr_stacks_total") == 0


def test_only_live_agents_that_are_active_count_as_active(admin):
    make_agent()
    active, _ = make_agent(active=True)
    assert value("brokkr_active_agents") == 1
    admin.delete(f"/agents/{active.id}")
    assert value("brokkr_active_agents") == 0


def test_the_age_of_a_heartbeat_is_told_for_each_live_agent_that_sent_one(admin):
    silent, _ = make_agent(name="silent")
    agent, api = make_agent(name='quoted "name" \\ here')
    api.post(f"/agents/{agent.id}/heartbeat")
    now = timezone.now()
    AgentHeartbeat.objects.filter(agent=agent).update(last_heartbeat=now - timedelta(seconds=100))
    ages = samples("brokkr_agent_heartbeat_age_seconds")
    ((labels, age),) = ages.items()
    assert dict(labels) == {"agent_id": str(agent.id), "agent_name": 'quoted "name" \\ here'}
    assert 100 <= age <= 100 + seconds_since(now)
    assert str(silent.id) not in str(ages)
    admin.delete(f"/agents/{agent.id}")
    assert samples("brokkr_agent_heartbeat_age_seconds") == {}


def test_a_scrape_asks_the_database_as_often_for_many_rows():
    with CaptureQueriesContext(connection) as few:
        Client().get("/metrics")
    for _ in range(5):
        agent, api = make_agent(active=True)
        api.post(f"/agents/{agent.id}/heartbeat")
        make_object(make_stack())
        make_work_order()
    with CaptureQueriesContext(connection) as many:
        Client().get("/metrics")
    assert len(many) == len(few) > 0
