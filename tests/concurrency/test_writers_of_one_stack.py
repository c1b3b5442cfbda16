"""Two writers on one stack: the newest object is also the last committed, and none is lost."""

import threading
from functools import partial
from itertools import chain, pairwise

import pytest

from stacks.models import DeploymentObject
from tests.factories import make_agent, make_stack, manifest
from tests.support.api import Api
from tests.support.threads import calls, statuses, together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

WRITERS, ROUNDS = 3, 12


def test_a_newer_object_never_appears_below_one_that_was_seen(admin):
    stack = make_stack(labels=["a"])
    agent, reader = make_agent(labels=["a"])
    done = threading.Event()
    running = threading.Semaphore(0)

    def write(api, writer: int) -> list[int]:
        seen = []
        for number in range(ROUNDS):
            body = {"yaml_content": manifest(f"{writer} {number}")}
            response = api.post(f"/stacks/{stack.id}/deployment-objects", body)
            assert response.status_code == 201
            seen.append(response.json()["sequence_id"])
        running.release()
        return seen

    def observe() -> list[int]:
        snapshots: list[set[int]] = [set()]
        while True:
            last_look = done.is_set()
            snapshots.append(
                set(DeploymentObject.objects.filter(stack=stack).values_list("sequence_id", flat=True))
            )
            if last_look:
                break
        for before, after in pairwise(snapshots):
            assert before <= after
            assert all(new > max(before, default=0) for new in after - before)
        return sorted(snapshots[-1])

    def wait_for_writers() -> list[int]:
        for _ in range(WRITERS):
            running.acquire(timeout=60)
        done.set()
        return []

    *written, _, observed = together(
        *(partial(write, Api(admin.key), writer) for writer in range(WRITERS)),
        wait_for_writers,
        observe,
    )
    assert all(own == sorted(own) for own in written)
    assert sorted(chain.from_iterable(written)) == observed
    assert len(observed) == WRITERS * ROUNDS
    (state,) = reader.get(f"/agents/{agent.id}/target-state").json()
    assert state["sequence_id"] == observed[-1]


def test_writers_of_different_stacks_do_not_wait_for_each_other(admin):
    stacks = [make_stack() for _ in range(WRITERS)]
    answers = together(
        *(
            calls(
                ROUNDS, admin, "POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(1)}
            )
            for stack in stacks
        )
    )
    assert [statuses(responses) for responses in answers] == [[201] * ROUNDS] * WRITERS
    assert len(set(DeploymentObject.objects.values_list("sequence_id", flat=True))) == WRITERS * ROUNDS
