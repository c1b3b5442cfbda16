"""What may happen in a chaos run. Each fault is over when its function returns.

A broker that was killed as a whole is over it when it is ready again: the machine decides how long a start takes.
"""

import random
import time
from collections.abc import Callable, Iterator

from tests.chaos.stand import Stand

# For how long something hangs: longer than the clients' time-outs of the database, and than most requests wait.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 3.0, 12.0

Fault = Callable[[Stand, random.Random], None]


def kill_a_web_process(stand: Stand, chance: random.Random) -> None:
    stand.kill_web_process(chance.randrange(100))


def pause_a_web_process(stand: Stand, chance: random.Random) -> None:
    pid = stand.pause_web_process(chance.randrange(100))
    _hang(chance)
    stand.go_on(pid)


def kill_the_broker(stand: Stand, chance: random.Random) -> None:
    stand.restart_broker()


def kill_a_worker(stand: Stand, chance: random.Random) -> None:
    stand.replace_worker(chance.randrange(100))


def cut_connections(stand: Stand, chance: random.Random) -> None:
    stand.proxy.move(stand.database.primary.socket)


def silence_all_connections(stand: Stand, chance: random.Random) -> None:
    stand.proxy.fall_silent(for_new_ones=True)
    _hang(chance)
    stand.proxy.heal()


def silence_open_connections(stand: Stand, chance: random.Random) -> None:
    stand.proxy.fall_silent(for_new_ones=False)
    _hang(chance)


def restart_the_database(stand: Stand, chance: random.Random) -> None:
    stand.restart_database()


def fail_the_database_over(stand: Stand, chance: random.Random) -> None:
    stand.fail_over()


FAULTS: tuple[Fault, ...] = (
    fail_the_database_over,
    kill_a_web_process,
    silence_all_connections,
    kill_a_worker,
    restart_the_database,
    cut_connections,
    kill_the_broker,
    silence_open_connections,
    pause_a_web_process,
)


def endless(chance: random.Random) -> Iterator[Fault]:
    """Faults in a random order, each once before any comes again; a failover is the first."""
    first, *others = FAULTS
    order = [first, *chance.sample(others, len(others))]
    while True:
        yield from order
        order = chance.sample(FAULTS, len(FAULTS))


def name_of(fault: Fault) -> str:
    """What people call it."""
    return fault.__name__.replace("_", " ")


def _hang(chance: random.Random) -> None:
    time.sleep(chance.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS))
