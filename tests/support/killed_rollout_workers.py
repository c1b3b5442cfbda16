"""Two workers that look at the same rollouts, one of which is killed again and again, on their own database.

Django starts once. Both workers and the fleet are forks, because a new start takes a hundred times as long. The fleet
publishes good and bad versions to a few stacks, and its agents report on what they should have. One worker is killed by
SIGKILL before a statement that writes, drawn at random, and another takes its place. The argument is how often.

The answer on stdout is JSON: how many rollouts ended in which state, and what is wrong with them.
"""

import os
import random
import select
import signal
import sys
import time
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import django
import orjson

from tests.support.forks import fork, was_killed

# How soon a rollout is due again whose worker was killed. In production it takes a minute.
_UNLOOKED = timedelta(milliseconds=300)
_STACKS = 3
_AGENTS = 8
# The chance to be killed before a statement that writes.
_DEATH = 0.1
# The chance that a version is published although one is on its way.
_HASTE = 0.02
_PATIENCE_SECONDS = 120


def main(kills: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokkr_site.settings")
    django.setup()
    # The imports are done once for all forks. Django must be set up before.
    from rollouts.services import releasing, ticking  # noqa: PLC0415
    from tests.support import rollout_audit  # noqa: PLC0415
    from tests.support.threads import slow_transactions  # noqa: PLC0415

    for module in (ticking, releasing):
        module.MAX_UNLOOKED = _UNLOOKED  # type: ignore[attr-defined]
    _end_of(fork(_prepare))
    reader, writer = os.pipe()
    fleet = fork(lambda: _live(reader))
    with slow_transactions():
        survivor = fork(_work)
        try:
            for number in range(kills):
                _wait_until_killed(fork(partial(_work_until_killed, number)))
            os.write(writer, b".")
            _end_of(fleet)
        finally:
            # Whoever waits for the output of this process waits for its forks too.
            os.kill(survivor, signal.SIGKILL)
            _wait_until_killed(survivor)
    _end_of(fork(lambda: sys.stdout.buffer.write(orjson.dumps(rollout_audit.report()))))


def _end_of(pid: int) -> None:
    if was_killed(pid):
        raise SystemExit("a process was killed")


def _wait_until_killed(worker: int) -> None:
    """Raises SystemExit if the worker has ended otherwise, because a worker must not fail."""
    if not was_killed(worker):
        raise SystemExit("a worker ended by itself")


def _work_until_killed(seed: int) -> None:
    from django.db import connection  # noqa: PLC0415

    chance = random.Random(seed)  # noqa: S311  # chance, not secrecy

    def die_or_execute(execute: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith("SELECT") and chance.random() < _DEATH:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *rest)

    with connection.execute_wrapper(die_or_execute):
        _work()


def _work() -> None:
    """Do the worker's job, and look at every rollout besides, so that both workers are always at the same ones."""
    from core import clock  # noqa: PLC0415
    from rollouts.models import Rollout  # noqa: PLC0415
    from rollouts.services.ticking import tick, tick_due  # noqa: PLC0415

    while True:
        tick_due(now=clock.now())
        for rollout_id in Rollout.objects.moving().values_list("pk", flat=True):
            tick(rollout_id=rollout_id, now=clock.now())


def _prepare() -> None:
    from rollouts.strategies import OnFailure  # noqa: PLC0415
    from tests.factories import make_agent, make_stack  # noqa: PLC0415
    from tests.support.rollouts import give_strategy, make_strategy, wave  # noqa: PLC0415

    waves = [wave("canary", count=1), wave("half", percent=50), wave()]
    strategy = make_strategy(
        *(wave(each.name, count=each.count, percent=each.percent, soak_seconds=0) for each in waves),
        on_failure=OnFailure.ROLL_BACK,
    )
    for _ in range(_AGENTS):
        make_agent(active=True, labels=["killed"])
    for _ in range(_STACKS):
        stack = make_stack(labels=["killed"])
        _publish(stack.pk, "good 0")
        give_strategy(stack, strategy)


def _publish(stack_id: UUID, content: str) -> None:
    from stacks.services import publish  # noqa: PLC0415
    from tests.factories import manifest  # noqa: PLC0415
    from tests.support.rollouts import ADMIN  # noqa: PLC0415

    publish(stack_id=stack_id, yaml_content=manifest(content), is_deletion_marker=False, actor=ADMIN)


def _live(until: int) -> None:
    """Publish and report until a byte comes, then report until all rollouts have ended.

    Every third version is bad. Most wait until the stack's rollout has ended; the others take its place.
    """
    from rollouts.models import Rollout  # noqa: PLC0415
    from stacks.models import Stack  # noqa: PLC0415

    chance = random.Random(29)  # noqa: S311  # chance, not secrecy
    stacks = list(Stack.objects.active())
    told: dict[tuple[object, object], int] = {}
    numbers = count(1)
    while not select.select([until], [], [], 0)[0]:
        running = set(Rollout.objects.running().values_list("stack", flat=True))
        for stack in stacks:
            if stack.pk not in running or chance.random() < _HASTE:
                number = next(numbers)
                _publish(stack.pk, f"{'bad' if number % 3 == 0 else 'good'} {number}")
            _report(stack, told)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while Rollout.objects.unfinished().exists():
        if time.monotonic() > deadline:
            raise SystemExit("some rollouts do not end")
        for stack in stacks:
            _report(stack, told)


def _report(stack: Any, told: dict[tuple[object, object], int]) -> None:
    from agents.models import Agent  # noqa: PLC0415
    from agents.wanted.versions import wanted_object  # noqa: PLC0415
    from tests.factories import make_event  # noqa: PLC0415

    for agent in Agent.objects.active():
        version = wanted_object(stack, agent)
        assert version is not None
        if told.get((stack.pk, agent.pk)) != version.pk:
            told[stack.pk, agent.pk] = version.pk
            make_event(agent, version, "FAILURE" if "bad" in version.yaml_content else "SUCCESS")


if __name__ == "__main__":
    main(int(sys.argv[1]))
