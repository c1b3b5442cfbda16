"""Metrics that count events when they happen."""

from prometheus_client import Counter

FRAGMENT_HITS = Counter(
    "brokkr_fragment_cache_hits_total",
    "Versions of target states that were in the memory of the web process.",
)
FRAGMENT_MISSES = Counter(
    "brokkr_fragment_cache_misses_total", "Versions of target states that had to be read and written anew."
)
