"""A span for each answered request, sent by OpenTelemetry. Imported only where BROKKR_TRACING is on.

Where they are sent, and which share of them, say OpenTelemetry's own variables (`OTEL_…`).
"""

import os
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from core.observation import AnsweredRequest, listeners
from core.trace_context import TraceParent

_NANOSECONDS = 1_000_000_000


def start_tracing() -> None:
    """From now on, send a span of every request that this process answers, from a thread of its own."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "brokkr")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("brokkr")
    listeners.append(lambda request: _record(tracer, request))


def _record(tracer: Tracer, request: AnsweredRequest) -> None:
    ended = time.time_ns()
    span = tracer.start_span(
        f"{request.method} {request.endpoint}",
        context=set_span_in_context(_span_of(request.parent)) if request.parent else None,
        kind=SpanKind.SERVER,
        start_time=ended - int(request.seconds * _NANOSECONDS),
        attributes={
            "http.request.method": request.method,
            "http.route": request.endpoint,
            "http.response.status_code": request.status,
            "brokkr.request_id": request.request_id,
            "brokkr.caller": request.caller,
        },
    )
    if request.status >= 500:
        span.set_status(StatusCode.ERROR)
    span.end(ended)


def _span_of(parent: TraceParent) -> NonRecordingSpan:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT)
    return NonRecordingSpan(
        SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    )
