"""Metrics of the threads of a web process. They count what happens in the process that imports this module."""

import os

from prometheus_client import Counter, Gauge, Histogram, values

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # prometheus_client asks the system for the process's id at every count, which takes as long as counting. A process
    # that imports this module keeps its id.
    _process_id = os.getpid()
    values.ValueClass = values.MultiProcessValue(lambda: _process_id)  # type: ignore[no-untyped-call]

WAITS = Histogram(
    "brokkr_thread_wait_seconds",
    "How long requests waited for a thread.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
BUSY_SECONDS = Counter("brokkr_thread_busy_seconds_total", "Time in which threads answered requests.")
REFUSED = Counter(
    "brokkr_requests_refused_total",
    "Requests refused with 503 for want of a thread: after waiting (busy), or at once (overloaded).",
    ["code"],
)
THREADS = Gauge("brokkr_threads", "Threads that answer requests.", multiprocess_mode="livesum")
BUSY = Gauge(
    "brokkr_threads_busy", "Threads that answered a request a moment ago.", multiprocess_mode="livesum"
)
WAITING = Gauge(
    "brokkr_requests_waiting", "Requests that waited for a thread a moment ago.", multiprocess_mode="livesum"
)
