"""With BROKKR_TRACING, a collector gets a span for each request, below the span of the client. Without it, none."""

from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.live_api import live_client, make_rows
from tests.support.receiver import Receiver, answer, running_receiver
from tests.support.server import Template
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("what is sent to a collector")]

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
POLL = "GET /api/v1/agents/:id/target-state"


def spans_of(collector: Receiver) -> list[Span]:
    """All spans that it has received so far."""
    return [
        span
        for request in list(collector.received)
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with running_receiver() as made:
        made.usual = answer(200)
        yield made


def test_a_request_is_a_span_below_that_of_its_client(database_template: Template, tmp_path, collector):
    environment = {
        "BROKKR_TRACING": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url(""),
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with database_template.broker(tmp_path, environment) as broker:
        rows = make_rows(broker, "tracing")
        with live_client(broker, rows.agent_key) as agent:
            path = f"/agents/{rows.agent_id}/target-state"
            for flags in ("01", "00"):
                agent.get(path, headers={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"})
        wait_for(lambda: any(span.trace_id.hex() == TRACE for span in spans_of(collector)), patience=60)
        broker.stop()

    # The client records one of its two polls, and so does the broker.
    (poll,) = (span for span in spans_of(collector) if span.trace_id.hex() == TRACE)
    assert (poll.name, poll.parent_span_id.hex(), poll.kind) == (POLL, PARENT, Span.SPAN_KIND_SERVER)
    assert poll.start_time_unix_nano < poll.end_time_unix_nano
    said = {each.key: each.value.string_value or each.value.int_value for each in poll.attributes}
    assert said.pop("brokkr.request_id")
    assert said == {
        "http.request.method": "GET",
        "http.route": "/api/v1/agents/:id/target-state",
        "http.response.status_code": 200,
        "brokkr.caller": f"agent:{rows.agent_id}",
    }
    # Requests of clients without traces begin traces.
    others = [span for span in spans_of(collector) if span.trace_id.hex() != TRACE]
    assert {span.parent_span_id for span in others} == {b""}
    assert "POST /api/v1/agents" in {span.name for span in others}
    assert {span.status.code for span in others} == {Status.STATUS_CODE_UNSET}
    assert not any(rows.agent_key.encode() in request.body for request in collector.received)
