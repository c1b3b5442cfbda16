"""The metrics of WebSockets, for dashboards that ask for them. There are none, so all of them are zero."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from core.metrics import gauges

_MESSAGES = {
    "in": ("heartbeat", "agent_event", "agent_health", "k8s_event", "pod_log_line", "log_gap"),
    "out": ("work_order", "target_changed", "stack_changed"),
}
_TABLES = ("agent_k8s_events", "agent_pod_logs")


@gauges
def websocket_metrics() -> Iterable[Metric]:
    yield GaugeMetricFamily("brokkr_ws_connected_agents", "Agents connected by WebSocket.", value=0)
    yield GaugeMetricFamily("brokkr_ws_live_subscribers", "Subscribers of a stack's live telemetry.", value=0)
    yield GaugeMetricFamily("brokkr_fleet_live_subscribers", "Subscribers of the live fleet.", value=0)
    messages = CounterMetricFamily("brokkr_ws_messages", "WebSocket messages.", labels=["direction", "type"])
    for direction, types in _MESSAGES.items():
        for each in types:
            messages.add_metric([direction, each], 0)
    yield messages
    yield CounterMetricFamily("brokkr_ws_log_eviction_runs", "Runs that evicted old telemetry.", value=0)
    evicted = CounterMetricFamily(
        "brokkr_ws_telemetry_evicted", "Rows of telemetry evicted.", labels=["table"]
    )
    for table in _TABLES:
        evicted.add_metric([table], 0)
    yield evicted
