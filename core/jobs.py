"""Periodic work: declared in `<app>/jobs.py`, run by `manage.py run_worker`.

Any number of workers may run, so a job must be safe to run twice at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.services import forget_full_buckets, forget_old_answers


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[], object]


_registry: dict[str, Job] = {}


def periodic(*, every: timedelta) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register the decorated function to be run by the worker each `every`."""

    def register(run: Callable[[], object]) -> Callable[[], object]:
        name = f"{run.__module__}.{run.__qualname__}"
        _registry[name] = Job(name=name, every=every, run=run)
        return run

    return register


def registered_jobs() -> list[Job]:
    """All jobs, by name."""
    return sorted(_registry.values(), key=lambda job: job.name)


@periodic(every=timedelta(hours=1))
def forget_answers() -> int:
    return forget_old_answers()


@periodic(every=timedelta(hours=1))
def forget_buckets() -> int:
    return forget_full_buckets()
