"""How the web process runs. gunicorn reads this file when it starts in the project's root.

Importing the settings here lets a wrong environment variable stop the start before any worker exists.
"""

import gc
import os
import shutil
import socket
from pathlib import Path
from typing import Any

from brokkr_site import settings
from config.env import env_int

bind = f"{settings.WEB_HOST}:{settings.WEB_PORT}"

# --- Processes and threads ------------------------------------------------------------------------
wsgi_app = "brokkr_site.wsgi:application"
# gthread.
worker_class = "server.web_worker.WebWorker"
# The cores this process may use, not those of the machine.
workers = env_int("BROKKR_WEB_WORKERS", len(os.sched_getaffinity(0)), minimum=1, maximum=256)
threads = settings.WEB_THREADS
# Shorter than any agent's poll interval, so that idle agents hold no connection.
keepalive = 5
# A worker that has served this many is replaced; the jitter keeps them from leaving together.
max_requests = 100_000
max_requests_jitter = 10_000
# Also how long a client may stall in the middle of a request or an answer: web_worker.py.
timeout = 30
graceful_timeout = 30
# Python waits for ever for a client that does not read a file which the kernel sends.
sendfile = False
# The workers' heartbeat files: on a slow disk they would block the worker and have it killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn makes private files there
# gunicorn's own door for controlling it at run time. Signals do; a door less.
control_socket_disable = True

# --- Logs -----------------------------------------------------------------------------------------
# Without an access log. gunicorn's other lines join ours.
logger_class = "server.web_worker.WebLogger"
logconfig_dict = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"] | {"gunicorn.error": {"handlers": [], "propagate": True}}
}

# --- Metrics of several processes -----------------------------------------------------------------
# Every worker keeps its counters in files in this folder, and /metrics adds them up. The host and the port
# are in the name because servers in several containers may share one data folder.
_metrics_dir = settings.DATA_DIR / "metrics" / f"{socket.gethostname()}-{settings.WEB_PORT}"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics_dir)


def on_starting(server: Any) -> None:
    """Counters begin at zero with the server; a reload keeps them."""
    shutil.rmtree(_metrics_dir, ignore_errors=True)
    _metrics_dir.mkdir(parents=True)


def post_worker_init(worker: Any) -> None:
    """What is loaded by now stays. Were it walked by each full garbage collection, every one would stop all threads
    for a tenth of a second.
    """
    from django.urls import get_resolver  # noqa: PLC0415  gunicorn's master, which reads this file too, has no Django

    # The routes, and what they import, would otherwise be loaded by the first request.
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Forget what a dead worker said about itself as a living one; its counters go on counting."""
    from prometheus_client import multiprocess  # noqa: PLC0415  importing it reads the variable set above

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(_metrics_dir, ignore_errors=True)
