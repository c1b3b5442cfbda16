"""What the worker notes of its jobs, and what /metrics says of it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from core import job_runs
from core.job_runs import note_run, store_runs
from core.jobs import Job
from core.metrics import exposition
from core.models import JobRuns
from tests.support.commands import manage

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "core.jobs.forget_answers"


@pytest.fixture(autouse=True)
def _nothing_noted(monkeypatch):
    monkeypatch.setattr(job_runs, "_noted", {})


def test_runs_are_added_up_over_time_and_workers(now):
    note_run(NAME, seconds=1.5, succeeded=True)
    note_run(NAME, seconds=0.5, succeeded=False)
    store_runs(now=now)
    note_run(NAME, seconds=1.0, succeeded=False)
    store_runs(now=now + timedelta(hours=1))
    row = JobRuns.objects.get()
    assert (row.job, row.runs, row.failures, row.seconds) == (NAME, 3, 2, 3.0)
    # A failure leaves the time of the last success as it was.
    assert row.succeeded_at is not None
    assert row.succeeded_at <= now


def test_what_cannot_be_stored_waits_for_the_next_time(now, monkeypatch):
    note_run(NAME, seconds=1.0, succeeded=True)

    def fail(*_: object) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(job_runs, "_add", fail)
        with pytest.raises(DatabaseError):
            store_runs(now=now)
    note_run(NAME, seconds=2.0, succeeded=True)
    store_runs(now=now)
    assert JobRuns.objects.values_list("runs", "seconds").get() == (2, 3.0)


def test_the_metrics_tell_how_each_job_of_the_worker_ran(monkeypatch):
    def fail() -> None:
        raise RuntimeError("the job is wrong")

    jobs = {
        name: Job(name, every=timedelta(hours=1), run=run) for name, run in (("good", int), ("poor", fail))
    }
    monkeypatch.setattr("core.jobs._registry", jobs)
    manage("run_worker", "--once")
    lines = exposition().decode().splitlines()
    said = dict(line.rsplit(" ", 1) for line in lines if line.startswith("brokkr_job_"))
    assert said['brokkr_job_duration_seconds_count{job="good"}'] == "1.0"
    assert said['brokkr_job_failures_total{job="good"}'] == "0.0"
    assert said['brokkr_job_failures_total{job="poor"}'] == "1.0"
    assert 'brokkr_job_last_success_timestamp_seconds{job="good"}' in said
    assert 'brokkr_job_last_success_timestamp_seconds{job="poor"}' not in said
