"""Periodic work: declared in `<app>/jobs.py`, run by `manage.py run_worker`.

Any number of workers may run, so a job must be safe to run twice at once.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core import clock
from core.job_runs import store_runs
from core.services import forget_full_buckets, forget_old_answers


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    # A function when the interval is a setting that may change while the worker runs.
    every: timedelta | Callable[[], timedelta]
    run: Callable[[], object]
    # Runs in a thread of its own, so that other jobs need not wait for it.
    is_long: bool = False

    @property
    def interval(self) -> timedelta:
        """The time from one run to the next, by the current settings."""
        return self.every() if callable(self.every) else self.every


_registry: dict[str, Job] = {}

# Set when the worker has been told to stop. A long job looks at it between its steps.
stopping = threading.Event()


def periodic(
    *, every: timedelta | Callable[[], timedelta], is_long: bool = False
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register the decorated function to be run by the worker each `every`.

    One that takes more than a tenth of the time comes less often. A long job does not: it has a thread of its own,
    begins again `every` after its end, and returns soon after `stopping` is set.
    """

    def register(run: Callable[[], object]) -> Callable[[], object]:
        name = f"{run.__module__}.{run.__qualname__}"
        _registry[name] = Job(name=name, every=every, run=run, is_long=is_long)
        return run

    return register


def registered_jobs() -> list[Job]:
    """All jobs, by name."""
    return sorted(_registry.values(), key=lambda job: job.name)


# One run deletes a bounded number of rows.
@periodic(every=timedelta(minutes=5))
def forget_answers() -> int:
    return forget_old_answers()


@periodic(every=timedelta(hours=1))
def forget_buckets() -> int:
    return forget_full_buckets()


@periodic(every=timedelta(seconds=10))
def store_job_runs() -> int:
    return store_runs(now=clock.now())
