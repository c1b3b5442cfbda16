"""How the web process runs. gunicorn reads this file when it starts in the project's root.

Importing the settings here lets a wrong environment variable stop the start before any worker exists.
"""

import gc
import os
import resource
import shutil
import socket
from pathlib import Path
from typing import Any

from brokkr_site import settings

# The default is 700: each process would start hundreds of garbage collections while it loads, and a list of a thousand
# rows would start many. None would find anything. Workers inherit it.
gc.set_threshold(10_000)

bind = f"{settings.WEB_HOST}:{settings.WEB_PORT}"

# --- Processes and threads ------------------------------------------------------------------------
wsgi_app = "brokkr_site.wsgi:application"
# Our worker class reads Django's settings before the application is loaded.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokkr_site.settings")
# gunicorn's gthread worker, with our changes.
worker_class = "server.web_worker.WebWorker"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
# Each connection takes a file descriptor. What is not admitted waits in the listen queue.
_, _most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
_files = min(_most_files, 65_536)
resource.setrlimit(resource.RLIMIT_NOFILE, (_files, _most_files))
# The rest is for the database, for logs and metrics, and for the libraries.
worker_connections = max(threads + 1, min(10_000, _files - 48 - 4 * threads))
# Whatever the shell says: what a worker writes is for its own user.
umask = 0o077
# Seconds; shorter than any agent's poll interval, so that idle agents hold no connection.
keepalive = 5
# A worker is replaced after this many requests. The jitter keeps workers from ending at the same time.
max_requests = 100_000
max_requests_jitter = 10_000
# Seconds. Also how long a client may stall in the middle of a request or an answer: server/web_worker.py.
timeout = 30
graceful_timeout = 30
# With sendfile, Python would wait for ever for a client that does not read.
sendfile = False
# The folder of the workers' heartbeat files. A slow disk would block a worker, and the master would kill it.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn makes private files there
# No control socket: signals are enough to control gunicorn, and a socket is one more thing to protect.
control_socket_disable = True

# --- Logs -----------------------------------------------------------------------------------------
# No access log, because RequestMiddleware logs requests. gunicorn's other lines go to our log.
logger_class = "server.logger.WebLogger"
logconfig_dict = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"] | {"gunicorn.error": {"handlers": [], "propagate": True}}
}

# --- Metrics of several processes -----------------------------------------------------------------
# Every worker keeps its counters in files in this folder, and /metrics adds them up. The host and the port
# are in the name because servers in several containers may share one folder.
# In memory where that is possible, because a full disk would kill a process that writes to a mapped file.
_metrics_dir = (
    Path(worker_tmp_dir or settings.DATA_DIR)
    / f"brokkr-metrics-{os.geteuid()}-{socket.gethostname()}-{settings.WEB_PORT}"
)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics_dir)


def on_starting(server: Any) -> None:
    """Start all counters at zero. A reload keeps them."""
    shutil.rmtree(_metrics_dir, ignore_errors=True)
    _metrics_dir.mkdir(mode=0o700, parents=True)


def post_worker_init(worker: Any) -> None:
    """Freeze the objects that are loaded now, because they stay. Otherwise each full garbage collection would visit
    them and stop all threads for a tenth of a second.
    """
    from django.urls import get_resolver  # noqa: PLC0415  gunicorn's master, which reads this file too, has no Django

    # Load the routes and their imports now; otherwise the first request would.
    _ = get_resolver().url_patterns
    if settings.TRACING:
        # Not before the fork, because its thread would not come along; and it need not be installed.
        from server.tracing import start_tracing  # noqa: PLC0415

        start_tracing()
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Drop the gauges of a dead worker. Its counters stay in the sums."""
    from prometheus_client import multiprocess  # noqa: PLC0415  importing it reads the variable set above

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(_metrics_dir, ignore_errors=True)
