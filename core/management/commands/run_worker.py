"""The worker: runs what is due, until it is told to stop."""

import json
import logging
import signal
import threading
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from core.jobs import Job, registered_jobs

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Run periodic jobs until SIGTERM or SIGINT. Any number of workers may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="run every job once and exit; 1 if one failed"
        )
        parser.add_argument(
            "--json", action="store_true", help="with --once: print the outcome of each job as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = registered_jobs()
        if options["once"]:
            outcome = {job.name: run(job) for job in jobs}
            if options["json"]:
                self.stdout.write(json.dumps(outcome))
            if not all(outcome.values()):
                raise SystemExit(1)
            return
        stop = threading.Event()

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        logger.info("worker started with %d jobs", len(jobs))
        due = {job.name: time.monotonic() for job in jobs}
        while not stop.is_set():
            for job in jobs:
                if stop.is_set():
                    break
                if time.monotonic() >= due[job.name]:
                    run(job)
                    due[job.name] = time.monotonic() + job.every.total_seconds()
            stop.wait(_IDLE_SECONDS)
        logger.info("worker stopped")


def run(job: Job) -> bool:
    """Whether the job went through. A failure is logged and tried again when the job is next due."""
    close_old_connections()
    try:
        result = job.run()
    except Exception:  # one job's failure, the database's absence included, must not end the others
        logger.exception("job %s failed", job.name)
        return False
    finally:
        close_old_connections()
    logger.debug("job %s done: %r", job.name, result)
    return True
