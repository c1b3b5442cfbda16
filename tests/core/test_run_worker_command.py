"""run_worker: every job is run, one's failure is its own, and a signal ends it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from core.jobs import Job, registered_jobs, stopping
from core.management.commands.run_worker import run_until_told_to_stop
from core.models import IdempotentAnswer
from tests.support.commands import manage, refused_command

# The worker closes connections between jobs, which must not be one that holds a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)

# Only a bound for a worker that hangs; it ends in a fraction of this.
PATIENCE = 60


@pytest.fixture
def jobs(monkeypatch) -> Callable[..., None]:
    """Makes the given functions the only jobs there are."""

    def register(**functions: Callable[[], object]) -> None:
        registry = {
            name: Job(name=name, every=timedelta(hours=1), run=run) for name, run in functions.items()
        }
        monkeypatch.setattr("core.jobs._registry", registry)

    return register


def fail() -> None:
    raise RuntimeError("the job is wrong")


def fail_for_the_database() -> None:
    raise OperationalError("the database is gone")


def test_once_runs_every_job_and_ends(jobs):
    done: list[str] = []
    jobs(first=lambda: done.append("first"), second=lambda: done.append("second"))
    outcome = manage("run_worker", "--once")
    assert (outcome.code, outcome.out) == (0, "")
    assert done == ["first", "second"]


def test_a_failing_job_is_exit_1_and_does_not_stop_the_others(jobs):
    done: list[str] = []
    jobs(a_before=lambda: done.append("before"), b_fails=fail, c_after=lambda: done.append("after"))
    assert manage("run_worker", "--once").code == 1
    assert done == ["before", "after"]


def test_a_failing_job_is_logged_with_its_name_and_reason(jobs, caplog):
    jobs(upkeep=fail)
    manage("run_worker", "--once")
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "job upkeep failed"
    assert record.exc_info
    assert str(record.exc_info[1]) == "the job is wrong"


def test_a_job_without_its_database_is_a_sentence_and_no_traceback(jobs, caplog):
    jobs(upkeep=fail_for_the_database)
    assert manage("run_worker", "--once").code == 1
    [record] = [record for record in caplog.records if "upkeep" in record.getMessage()]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(
        "job upkeep failed: The database cannot be used: the database is gone."
    )
    assert not record.exc_info


def test_json_tells_the_outcome_of_each_job(jobs):
    jobs(good=lambda: None, poor=fail)
    outcome = manage("run_worker", "--once", "--json")
    assert outcome.code == 1
    assert outcome.json == {"good": True, "poor": False}


def test_json_without_once_is_wrong_usage(jobs):
    jobs()
    refused_command(manage("run_worker", "--json"), 2, "--once")


def test_the_products_own_jobs_go_through():
    names = {job.name for job in registered_jobs()}
    assert "core.jobs.forget_answers" in names
    assert manage("run_worker", "--once", "--json").json == dict.fromkeys(names, True)


def test_answers_that_may_no_longer_be_replayed_are_forgotten():
    answers = [
        IdempotentAnswer.objects.create(
            caller="00000000-0000-0000-0000-000000000001", key=key, fingerprint="f", status=201, body=b""
        )
        for key in ("old", "young")
    ]
    IdempotentAnswer.objects.filter(id=answers[0].id).update(
        created_at=answers[0].created_at - timedelta(hours=25)
    )
    manage("run_worker", "--once")
    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["young"]


@pytest.fixture
def _own_signals() -> Iterator[None]:
    """The worker's handlers do not outlive the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping.clear()


@pytest.mark.usefixtures("_own_signals")
def test_a_long_job_does_not_keep_the_others_waiting_and_ends_when_told(monkeypatch):
    monkeypatch.setattr("core.management.commands.run_worker._IDLE_SECONDS", 0.01)
    begun, ended = Event(), Event()

    def long() -> None:
        begun.set()
        assert stopping.wait(PATIENCE)
        ended.set()

    def short() -> None:
        assert begun.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGTERM)

    hourly = timedelta(hours=1)
    run_until_told_to_stop(
        [Job("long", every=hourly, run=long, is_long=True), Job("short", every=hourly, run=short)]
    )
    assert ended.is_set()


@pytest.mark.usefixtures("_own_signals")
def test_a_long_job_is_run_again_after_a_failure(caplog):
    runs: list[int] = []

    def long() -> None:
        runs.append(1)
        if len(runs) == 1:
            fail()
        os.kill(os.getpid(), signal.SIGTERM)

    run_until_told_to_stop([Job("long", every=timedelta(0), run=long, is_long=True)])
    assert len(runs) >= 2
    assert "job long failed" in caplog.messages


@pytest.mark.usefixtures("_own_signals")
@pytest.mark.parametrize("is_long", [True, False])
def test_an_interval_that_changes_is_followed(monkeypatch, is_long):
    monkeypatch.setattr("core.management.commands.run_worker._IDLE_SECONDS", 0.01)
    intervals = iter([timedelta(hours=1), timedelta(hours=1)])
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        if len(runs) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    job = Job("work", every=lambda: next(intervals, timedelta(0)), run=work, is_long=is_long)
    run_until_told_to_stop([job])
    assert len(runs) >= 2


@pytest.mark.usefixtures("_own_signals")
def test_a_long_job_that_does_not_end_is_cut_off(monkeypatch, caplog):
    monkeypatch.setattr("core.management.commands.run_worker._PATIENCE_SECONDS", 0.01)
    let_go = Event()

    def long() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        let_go.wait(PATIENCE)

    run_until_told_to_stop([Job("long", every=timedelta(hours=1), run=long, is_long=True)])
    (left,) = [thread for thread in threading.enumerate() if thread.name == "long"]
    let_go.set()
    left.join(PATIENCE)
    assert "job long does not end and is cut off" in caplog.messages


@pytest.mark.usefixtures("_own_signals")
@pytest.mark.parametrize(
    ("took", "runs_in_a_minute"),
    [
        pytest.param(0.0, 60, id="none"),
        pytest.param(0.5, 11, id="half a second"),
        pytest.param(5.0, 4, id="five seconds, after which it rests for only ten"),
    ],
)
def test_a_job_takes_at_most_a_tenth_of_the_time_but_rests_ten_seconds_at_most(
    monkeypatch, took, runs_in_a_minute
):
    now = 0.0
    begun: list[float] = []

    def work() -> None:
        nonlocal now
        begun.append(now)
        now += took

    def idle(seconds: float, signals: object) -> bool:
        nonlocal now
        now += seconds
        return now >= 60

    worker = "core.management.commands.run_worker"
    monkeypatch.setattr(f"{worker}.time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(f"{worker}.asked_to_stop_within", idle)
    run_until_told_to_stop([Job("work", every=timedelta(seconds=1), run=work)])
    assert len(begun) == runs_in_a_minute
