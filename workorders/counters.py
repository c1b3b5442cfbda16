"""Metrics that count events when they happen."""

from prometheus_client import Histogram

CLAIM_LATENCY = Histogram(
    "brokkr_work_order_claim_latency_seconds",
    "From the creation of an order to its claim.",
    ["work_type"],
    buckets=(0.1, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
)
