"""Which of the requests that wait for a thread comes next, and which are refused."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore, Thread
from unittest.mock import patch

import pytest

from server.request_queue import RequestQueue, Waiting


def queue_of(*requests: Waiting, threads: int = 4, patience: float = 60) -> RequestQueue:
    queue = RequestQueue(threads=threads, patience_seconds=patience)
    for request in requests:
        assert queue.put(request)
    return queue


def asked(name: str, *shares: str, kind: str = "kind", vital: bool = False) -> Waiting:
    return Waiting(name, time.monotonic(), (kind, *shares), vital)


class MustWaitError(Exception):
    """Whoever asks for a request would have to wait for one."""


def taken(queue: RequestQueue) -> str | None:
    """The name of the request that a thread gets now; None if all must wait."""
    with patch.object(queue._changed, "wait", side_effect=MustWaitError):
        try:
            request = queue.take()
        except MustWaitError:
            return None
    return str(request.connection) if request else None


def test_one_row_holds_half_of_the_threads_from_the_first_request_on():
    queue = queue_of(*(asked(f"row-{number}", "row", kind=f"kind {number}") for number in range(4)))
    queue.put(asked("other", "another row", kind="kind 0"))

    assert {taken(queue), taken(queue)} == {"row-0", "row-1"}
    assert taken(queue) == "other"
    assert taken(queue) is None


def test_one_kind_holds_half_of_the_threads():
    queue = queue_of(*(asked(f"{number}", f"row {number}") for number in range(3)))
    queue.put(asked("other", kind="other kind"))

    assert {taken(queue) for _ in range(3)} == {"0", "1", "other"}
    assert taken(queue) is None


def test_what_waits_gets_its_turn_when_its_share_is_free_again():
    queue = queue_of(*(asked(f"{number}") for number in range(3)))
    first = queue.take()
    queue.take()

    queue.done(first)

    assert taken(queue) == "2"


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_of_few_threads_one_kind_gets_one(threads):
    queue = queue_of(asked("first"), asked("second"), threads=threads)

    assert [taken(queue), taken(queue)] == ["first", None]


def test_vital_requests_come_first_and_the_other_kinds_in_turn():
    queue = queue_of(
        *(asked(f"a{number}", kind="a") for number in range(2)),
        *(asked(f"b{number}", kind="b") for number in range(2)),
        asked("vital", kind="beat", vital=True),
        threads=16,
    )

    assert [taken(queue) for _ in range(5)] == ["vital", "a0", "b0", "a1", "b1"]


def test_one_thread_is_kept_for_vital_requests():
    queue = queue_of(*(asked(f"{number}", kind=f"kind {number}") for number in range(4)))
    assert [taken(queue) for _ in range(3)] == ["0", "1", "2"]

    queue.put(asked("vital", kind="beat", vital=True))

    assert taken(queue) == "vital"
    assert taken(queue) is None


def test_of_few_threads_none_is_kept():
    queue = queue_of(*(asked(f"{number}", kind=f"kind {number}") for number in range(3)), threads=3)

    assert [taken(queue) for _ in range(3)] == ["0", "1", "2"]


def test_a_request_that_follows_on_its_connection_goes_on_unless_others_wait():
    queue = queue_of(asked("first"), threads=4)
    first = queue.take()
    following = asked("following")
    assert queue.exchange(first, following)

    queue.put(asked("waiting"))

    assert not queue.exchange(following, asked("third"))


def test_a_request_that_follows_waits_when_its_share_is_held():
    queue = queue_of(asked("a", "row a"), asked("b", "row b"), asked("c", kind="other kind"))
    (other,) = [held for _ in range(3) if (held := queue.take()) and held.connection == "c"]

    assert not queue.exchange(other, asked("following", "row c"))


def test_a_thread_gets_no_request_that_has_waited_for_too_long():
    late = Waiting("late", time.monotonic() - 61, ("kind",))

    assert taken(queue_of(late, asked("in time"), patience=60)) == "in time"


def test_what_has_waited_for_too_long_is_given_up():
    queue = queue_of(asked("late"), patience=5)

    assert queue.give_up(time.monotonic() + 4) == []
    (late,) = queue.give_up(time.monotonic() + 6)

    assert (late.connection, len(queue)) == ("late", 0)


def test_who_comes_while_his_kind_waits_for_half_of_the_patience_is_refused_at_once():
    long_ago = time.monotonic() - 3
    queue = RequestQueue(threads=2, patience_seconds=5)
    for number in range(65):
        queue.put(Waiting(f"{number}", long_ago, ("kind",)))
    queue.take()

    assert not queue.put(asked("one more"))
    assert queue.put(asked("other", kind="other kind"))
    assert queue.put(asked("vital", vital=True))


def test_threads_end_when_the_queue_closes():
    queue = queue_of()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(queue.take)
        queue.close()
        assert future.result(timeout=60) is None


def test_requests_that_compute_leave_threads_to_another_kind() -> None:
    queue = queue_of(*(asked(f"sum-{number}", kind="computes") for number in range(8)))
    are_computing, is_answered = Semaphore(0), Event()

    def answer() -> None:
        while (request := queue.take()) is not None:
            if request.shares[0] == "answers":
                is_answered.set()
            else:
                are_computing.release()
                while not is_answered.is_set():
                    sum(range(10_000))
            queue.done(request)

    threads = [Thread(target=answer, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        # Those that may compute at a time.
        assert are_computing.acquire(timeout=60)
        assert are_computing.acquire(timeout=60)
        queue.put(asked("other", kind="answers"))
        assert is_answered.wait(60)
    finally:
        is_answered.set()
        queue.close()
        for thread in threads:
            thread.join(60)
