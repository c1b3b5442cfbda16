"""What a running broker says of its threads, statements and memory when agents poll, and of the worker's jobs."""

import json

import pytest

from tests.support.live_api import live_client, make_rows, metric
from tests.support.server import LiveServer, Template
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("counters in files, and gauges")]

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def scraped(database_template: Template, tmp_path):
    """A broker that has answered 20 polls of one agent, each with a body."""
    with database_template.broker(tmp_path, {"BROKKR__LOG__FORMAT": "json"}) as broker:
        rows = make_rows(broker, "metrics")
        with live_client(broker, rows.agent_key) as agent:
            for _ in range(20):
                answer = agent.get(
                    f"/agents/{rows.agent_id}/target-state",
                    headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
                )
                assert answer.status_code == 200
        yield broker


def test_polls_are_in_the_metrics_of_threads_statements_and_memory(scraped: LiveServer):
    assert metric(scraped, "brokkr_threads") == 8
    assert metric(scraped, "brokkr_threads_busy") <= 8
    assert metric(scraped, "brokkr_thread_wait_seconds_count") >= 20
    assert metric(scraped, "brokkr_thread_busy_seconds_total") > 0
    assert metric(scraped, 'brokkr_database_query_duration_seconds_count{query_type="select"}') >= 20
    assert metric(scraped, "brokkr_database_connections_opened_total") >= 1
    assert metric(scraped, "brokkr_fragment_cache_hits_total") >= 18
    # One version, read once by each of the two processes at most.
    assert 1 <= metric(scraped, "brokkr_fragment_cache_misses_total") <= 2


def test_the_line_of_a_poll_in_the_lane_names_the_trace(scraped: LiveServer):
    lines = [json.loads(line) for line in scraped.log.read_text().splitlines() if line.startswith("{")]
    polls = [line for line in lines if line.get("route") == "/api/v1/agents/:id/target-state"]
    assert [line["trace_id"] for line in polls] == [TRACE] * 20
    assert not any("trace_id" in line for line in lines if line not in polls)


def test_a_replica_without_a_worker_of_its_own_tells_of_the_jobs(scraped: LiveServer):
    job = 'brokkr_job_duration_seconds_count{job="config.jobs.mark_worker"}'
    assert metric(scraped, job) == 0
    with scraped.worker():
        wait_for(lambda: metric(scraped, job) >= 1, patience=60)
