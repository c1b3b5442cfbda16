"""The worker: runs what is due, until it is told to stop."""

import json
import logging
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType
from typing import Any

from django.contrib import admin
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from core.commands import UsageError
from core.database_errors import cannot_be_used, unusable_sentence
from core.job_runs import note_run
from core.jobs import Job, registered_jobs, stopping, store_job_runs

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
# A short job takes at most a tenth of the time, because others need the database meanwhile. It rests for nine
# times as long as it ran, but not for long: it may have taken so long only because it waited for a lock.
_RESTS_PER_RUN = 9
_LONGEST_REST_SECONDS = 10.0
# How long all long jobs together may take to stop. Less than `manage.py serve` gives the whole process.
_PATIENCE_SECONDS = 6.0
# Stores also what ran after the job of that name.
_LAST = Job("the last runs", every=timedelta(0), run=store_job_runs)


@dataclass(frozen=True, slots=True)
class _Run:
    """The last run of a job, in seconds of the monotonic clock."""

    ended: float = float("-inf")
    took: float = 0.0

    @property
    def rest(self) -> float:
        return min(_RESTS_PER_RUN * self.took, _LONGEST_REST_SECONDS)


class Command(BaseCommand):
    help = "Run periodic jobs until SIGTERM or SIGINT. Any number of workers may run at once."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="run every job once and exit; 1 if one failed"
        )
        parser.add_argument(
            "--json", action="store_true", help="with --once: print the outcome of each job as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and not options["once"]:
            raise UsageError("--json goes with --once.")
        # Jobs perform what pages offer for many rows.
        admin.autodiscover()
        jobs = registered_jobs()
        if not options["once"]:
            run_until_told_to_stop(jobs)
            return
        outcome = {job.name: run(job) for job in jobs}
        run(_LAST)
        if options["json"]:
            self.stdout.write(json.dumps(outcome))
        if not all(outcome.values()):
            raise SystemExit(1)


def run_until_told_to_stop(jobs: list[Job]) -> None:
    """Run each job when it is due, until a signal comes. The running job ends first; long jobs are told to stop."""
    # Not an Event: its lock is not reentrant, so a signal that arrives while this thread holds it would hang.
    signals: SimpleQueue[int] = SimpleQueue()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        signals.put(number)

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    logger.info("worker started with %d jobs", len(jobs))
    stopping.clear()
    long = [
        Thread(target=_keep_running, args=[job], name=job.name, daemon=True) for job in jobs if job.is_long
    ]
    for thread in long:
        thread.start()
    short = [job for job in jobs if not job.is_long]
    last_run = dict.fromkeys((job.name for job in short), _Run())
    while True:
        for job in short:
            if not signals.empty():
                break
            if _is_due(job, last_run[job.name]):
                began = time.monotonic()
                run(job)
                ended = time.monotonic()
                last_run[job.name] = _Run(ended, ended - began)
        if asked_to_stop_within(_IDLE_SECONDS, signals):
            break
    stopping.set()
    _wait_for(long)
    run(_LAST)
    logger.info("worker stopped")


def _keep_running(job: Job) -> None:
    try:
        while not stopping.is_set():
            run(job)
            last_run = _Run(time.monotonic())
            while not _is_due(job, last_run) and not stopping.wait(min(_IDLE_SECONDS, _seconds(job))):
                pass
    finally:
        connections.close_all()


def _is_due(job: Job, last_run: _Run) -> bool:
    return time.monotonic() - last_run.ended >= max(_seconds(job), last_run.rest)


def _seconds(job: Job) -> float:
    return job.interval.total_seconds()


def _wait_for(threads: Iterable[Thread]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            logger.warning("job %s does not end and is cut off", thread.name)


def asked_to_stop_within(seconds: float, signals: SimpleQueue[int]) -> bool:
    """Wait that long for a signal. Returns whether one came."""
    try:
        signals.get(timeout=seconds)
    except Empty:
        return False
    return True


def run(job: Job) -> bool:
    """Run the job and return whether it succeeded. A failure is logged; the job runs again when it is next due."""
    close_old_connections()
    began = time.monotonic()
    succeeded = False
    try:
        result = job.run()
        succeeded = True
    except DatabaseError as error:
        if not cannot_be_used(error):
            logger.exception("job %s failed", job.name)
        else:
            logger.warning("job %s failed: %s", job.name, unusable_sentence(error))
        return False
    except Exception:  # one job's failure must not end the others
        logger.exception("job %s failed", job.name)
        return False
    finally:
        note_run(job.name, seconds=time.monotonic() - began, succeeded=succeeded)
        close_old_connections()
    logger.debug("job %s done: %r", job.name, result)
    return True
