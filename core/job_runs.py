"""How the worker's jobs run: noted in memory after each run, and added to the table now and then.

Web processes read the table when they are scraped, so that the worker needs no port of its own.
"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F

from core.models import JobRuns


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of one job. `succeeded` is the moment of the latest success, in seconds of the monotonic clock."""

    runs: int = 0
    failures: int = 0
    seconds: float = 0.0
    succeeded: float | None = None

    def __add__(self, later: "_Runs") -> "_Runs":
        return _Runs(
            self.runs + later.runs,
            self.failures + later.failures,
            self.seconds + later.seconds,
            self.succeeded if later.succeeded is None else later.succeeded,
        )


# Long jobs run in threads of their own.
_lock = threading.Lock()
_noted: dict[str, _Runs] = {}


def note_run(job: str, *, seconds: float, succeeded: bool) -> None:
    """Note one run of a job, which has just ended."""
    run = _Runs(1, not succeeded, seconds, time.monotonic() if succeeded else None)
    with _lock:
        _noted[job] = _noted.get(job, _Runs()) + run


def store_runs(*, now: datetime) -> int:
    """Add what was noted to the table. Returns the number of jobs.

    Raises Django's database errors; what was noted then waits for the next time.
    """
    with _lock:
        taken = dict(_noted)
        _noted.clear()
    try:
        with transaction.atomic():
            # In one order, so that no two workers wait for each other.
            for job, runs in sorted(taken.items()):
                _add(job, runs, now)
    except DatabaseError:
        with _lock:
            for job, runs in taken.items():
                _noted[job] = runs + _noted.get(job, _Runs())
        raise
    return len(taken)


def _add(job: str, runs: _Runs, now: datetime) -> None:
    JobRuns.objects.get_or_create(job=job)
    changes: dict[str, object] = {
        "runs": F("runs") + runs.runs,
        "failures": F("failures") + runs.failures,
        "seconds": F("seconds") + runs.seconds,
    }
    if runs.succeeded is not None:
        changes["succeeded_at"] = now - timedelta(seconds=time.monotonic() - runs.succeeded)
    JobRuns.objects.filter(job=job).update(**changes)
