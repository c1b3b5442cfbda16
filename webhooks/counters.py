"""Metrics that count events when they happen."""

from prometheus_client import Histogram

AGENT_DELIVERY_DURATIONS = Histogram(
    "brokkr_webhook_agent_delivery_duration_seconds",
    "How long agents say that their requests to webhook endpoints took.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
)
