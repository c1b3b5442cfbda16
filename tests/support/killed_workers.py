"""Webhook workers that are killed during their work, one after another, on their own database.

Django starts once. Every worker is a fork, because a new start takes a hundred times as long. Each worker is killed by
SIGKILL at another point of its work. The arguments are the receiver's URL and how many workers to kill. The answer on
stdout is JSON: the ids of the events, the states in which their deliveries ended, and the number of killed workers.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import django
import orjson

from tests.support.forks import fork, was_killed

# Shorter than the life of a worker, so that the next worker can take the deliveries of a killed one.
_LEASE = timedelta(milliseconds=50)
_WEBHOOKS = 4
_EVENTS = 20


def main(url: str, kills: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokkr_site.settings")
    django.setup()
    # The imports are done once for all workers, so that each worker begins at once.
    from webhooks import dispatcher  # noqa: PLC0415  # Django must be set up before
    from webhooks.services import deliveries  # noqa: PLC0415

    dispatcher._LOOK_EVERY_SECONDS = 0.05
    deliveries._lease = lambda _subscription: _LEASE  # type: ignore[assignment]
    points = _points_of_death(dispatcher)
    _in_a_fork(lambda: _prepare(url))
    killed = 0
    while killed < kills:
        point = next(points)
        if _in_a_fork(lambda: (point(), dispatcher.deliver_due())):  # noqa: B023  # run before the next turn
            killed += 1
        else:
            # The worker had nothing to do.
            _in_a_fork(_more_events)
    _in_a_fork(lambda: _finish(dispatcher.deliver_due, killed))


def _points_of_death(dispatcher: Any) -> Iterator[Callable[[], None]]:
    """Functions that make a worker die: before and after each function of its work, at different calls."""
    for number in count():
        name = ("claim_due", "send", "record_outcomes")[number % 3]
        before, calls = bool(number // 3 % 2), number // 6 % 3

        def arrange(name: str = name, before: bool = before, calls: int = calls) -> None:  # noqa: FBT001
            real, done = getattr(dispatcher, name), count()

            def deadly(*arguments: Any, **options: Any) -> Any:
                is_last = next(done) == calls
                if is_last and before:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = real(*arguments, **options)
                if is_last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            setattr(dispatcher, name, deadly)

        yield arrange


def _in_a_fork(work: Callable[[], object]) -> bool:
    """Run the work in a forked process; whether it was killed."""
    return was_killed(fork(work))


def _prepare(url: str) -> None:
    from tests.factories import make_webhook  # noqa: PLC0415

    for number in range(_WEBHOOKS):
        make_webhook(url=f"{url}/{number}")
    _more_events()


def _more_events() -> None:
    from tests.factories import make_notice  # noqa: PLC0415

    for _ in range(_EVENTS):
        make_notice()


def _finish(deliver_due: Callable[[], int], killed: int) -> None:
    from webhooks.models import Delivery  # noqa: PLC0415

    deadline = time.monotonic() + 300
    while Delivery.objects.exclude(due_at=None).exists() and time.monotonic() < deadline:
        deliver_due()
    rows = list(Delivery.objects.values_list("event_id", "status", "attempts"))
    answer = {
        "events": sorted({str(event_id) for event_id, _, _ in rows}),
        "states": Counter(f"{status} after {attempts}" for _, status, attempts in rows),
        "killed": killed,
    }
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
