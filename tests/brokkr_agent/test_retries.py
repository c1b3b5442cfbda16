"""What fails is tried again by itself, while the rest of its version is left alone."""

from collections import Counter
from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokkr_agent.cluster import ClusterError
from brokkr_agent.manifests import Identity
from brokkr_agent.retries import Retries
from tests.brokkr_agent.conftest import config_map, new_stack, place, remove
from tests.brokkr_agent.fake_cluster import answer_all

KEY = ("version", Identity("", "ConfigMap", "shop", "a"))


@pytest.fixture
def refusals(world):
    """By the path of an object, the status with which the API server refuses to write it."""
    by_path: dict[str, int] = {}

    def refuse(method: str, path: str) -> httpx2.Response | None:
        if method in {"PATCH", "DELETE"} and path in by_path:
            return httpx2.Response(by_path[path], json={"message": "a webhook says no"})
        return None

    world.cluster.refuse = refuse
    return by_path


def tries(world, method: str = "PATCH") -> Counter[str]:
    """How often each object was written since this was asked last."""
    found = Counter(
        request.rpartition("/")[2]
        for request in world.cluster.requests
        if request.startswith(method) and "brokkr-inventory" not in request
    )
    world.cluster.requests.clear()
    return found


@pytest.mark.parametrize("status", [403, 409, 422, 500, 503])
def test_an_object_that_fails_is_tried_again_alone(world, stack, refusals, status):
    refusals[place("bad")] = status
    world.publish(stack, config_map("bad"), config_map("good"))
    world.run(1)
    assert tries(world) == {"bad": 1, "good": 1}
    world.run(3)
    assert tries(world) == {"bad": 3}
    refusals.clear()
    world.run()
    assert tries(world) == {"bad": 1}
    assert [said[1:] for said in world.said()] == [
        ("FAILURE", "1 of 2 objects failed. ConfigMap brokkr/bad: a webhook says no"),
        ("SUCCESS", None),
    ]


def test_between_two_tries_of_an_object_it_is_left_alone(world, stack, refusals):
    refusals[place("bad")] = 422
    world.publish(stack, config_map("bad"))
    world.run(6)
    tries(world)
    for _ in range(20):
        world.time += 1
        world.rounds.run()
    assert tries(world)["bad"] <= 1


def test_a_new_version_is_tried_at_once(world, stack, refusals):
    refusals[place("bad")] = 422
    world.publish(stack, config_map("bad"))
    world.run(8)
    refusals.clear()
    world.publish(stack, config_map("bad", "new"))
    world.rounds.run()
    assert world.cluster.texts() == {place("bad"): {"word": "new"}}


def test_an_object_that_cannot_be_deleted_is_tried_again_alone(world, stack, refusals):
    world.publish(stack, config_map("a"), config_map("b"), config_map("c"))
    world.run()
    refusals[place("b")] = 500
    version = world.publish(stack, config_map("a"))
    world.run(1)
    assert tries(world, "DELETE") == {"b": 1, "c": 1}
    world.run(2)
    assert tries(world, "DELETE") == {"b": 2}
    assert world.said()[-1] == (
        version.sequence_id,
        "FAILURE",
        "Removing: 1 of 1 objects failed. ConfigMap brokkr/b: a webhook says no",
    )
    refusals.clear()
    world.run()
    assert (world.cluster.texts().keys(), world.said()[-1][1]) == ({place("a")}, "SUCCESS")


def test_a_removal_goes_on_with_what_it_could_not_delete(world, stack, refusals):
    world.publish(stack, config_map("a"), config_map("b"))
    world.run()
    refusals[place("a")] = 403
    remove(stack.id)
    world.run(2)
    assert world.cluster.texts().keys() == {place("a")}
    assert world.said()[-1][1] == "FAILURE"
    refusals.clear()
    world.run()
    assert world.cluster.objects == {}


def test_what_waits_for_something_else_is_said_to_have_failed_only_after_a_while(world, stack):
    world.publish(stack, config_map("a", namespace="later"))
    world.time += 1000
    world.rounds.run()
    world.time += 2
    world.rounds.run()
    assert world.said() == []
    world.publish(new_stack(world), "apiVersion: v1\nkind: Namespace\nmetadata: {name: later}\n")
    world.run()
    assert {status for _, status, _ in world.said()} == {"SUCCESS"}


def test_what_waits_for_something_that_never_comes_has_failed(world, stack):
    world.publish(stack, config_map("a", namespace="never"))
    world.run()
    assert 'namespaces "never" not found' in (world.said()[-1][2] or "")


def test_a_stack_whose_webhook_is_away_does_not_hold_up_another(world, stack, refusals):
    refusals[place("bad")] = 500
    world.publish(stack, config_map("bad"))
    world.publish(new_stack(world), config_map("good"))
    world.run()
    assert world.cluster.texts().keys() == {place("good")}


def test_an_object_of_an_unknown_kind_does_not_hold_up_the_others_of_its_version(world, stack):
    tree = "apiVersion: example.com/v1\nkind: Tree\nmetadata: {name: oak, namespace: brokkr}\n"
    world.publish(stack, config_map("old"))
    world.run()
    world.publish(stack, config_map("good"), tree)
    world.run()
    assert world.cluster.texts().keys() == {place("good"), place("old")}
    assert "1 of 2 objects failed. Tree.example.com brokkr/oak: The cluster knows no kind" in (
        world.said()[-1][2] or ""
    )
    world.cluster.kinds["example.com/v1"] = {"Tree": ("trees", True)}
    world.run()
    assert world.said()[-1][1] == "SUCCESS"
    assert world.cluster.texts().keys() == {
        place("good"),
        "/apis/example.com/v1/namespaces/brokkr/trees/oak",
    }


def test_a_round_that_takes_too_long_lets_the_broker_hear_first_and_goes_on(world, stack):
    world.publish(stack, *(config_map(name) for name in "abc"))

    def slow(method: str, path: str) -> httpx2.Response | None:
        if method == "PATCH" and "brokkr-inventory" not in path:
            world.time += 15
        return None

    world.cluster.refuse = slow
    assert world.rounds.run() <= 1.0
    assert tries(world) == {"a": 1, "b": 1}
    world.rounds.run()
    assert tries(world) == {"c": 1}
    assert world.cluster.texts().keys() == {place(name) for name in "abc"}


def test_what_a_removal_has_not_come_to_yet_has_not_failed(world, stack):
    world.publish(stack, *(config_map(name) for name in "abcd"))
    world.run()
    remove(stack.id)

    def slow(method: str, path: str) -> httpx2.Response | None:
        if method == "DELETE" and "brokkr-inventory" not in path:
            world.time += 15
        return None

    world.cluster.refuse = slow
    for _ in range(4):
        world.rounds.run()
    assert world.cluster.objects == {}
    assert {status for _, status, _ in world.said()} == {"SUCCESS"}


def test_the_wait_for_news_ends_when_something_is_to_be_tried_again(world, stack, refusals, monkeypatch):
    waits: list[int] = []
    real = type(world.rounds.broker).sync

    def sync(broker, agent_id, body, *, wait_seconds, **_options):
        waits.append(wait_seconds)
        return real(broker, agent_id, body)

    monkeypatch.setattr(type(world.rounds.broker), "sync", sync)
    refusals[place("bad")] = 422
    world.publish(stack, config_map("bad"))
    for _ in range(4):
        world.time += 400
        world.rounds.run()
    world.rounds.run(wait=True)
    assert 0 < waits[-1] < 9


@given(st.integers(1, 60), st.floats(0, 1))
def test_pauses_grow_to_a_bound_and_end(failures, chance):
    retries = Retries(chance=lambda: chance)
    now, pauses = 0.0, []
    for _ in range(failures):
        retries.failed(KEY, now)
        pauses.append(retries.seconds_until_next(now))
        assert not retries.is_due(KEY, now)
        now += pauses[-1]
        assert retries.is_due(KEY, now + 0.001)
    assert all(0.75 <= pause <= 300 for pause in pauses)
    assert all(later > earlier - 1e-6 for earlier, later in pairwise(pauses))


@given(st.lists(st.sampled_from(["failed", "succeeded", "wait"]), max_size=20))
def test_one_object_does_not_change_when_another_is_due(events):
    retries, alone = Retries(chance=lambda: 0.0), Retries(chance=lambda: 0.0)
    other = ("version", Identity("", "ConfigMap", "shop", "other"))
    now = 0.0
    for number, event in enumerate(events):
        now += 10.0 * (event == "wait")
        retries.failed(other, float(number))
        if event != "wait":
            for each in (retries, alone):
                each.failed(KEY, now) if event == "failed" else each.succeeded(KEY)
        assert retries.is_due(KEY, now) == alone.is_due(KEY, now)


def test_without_an_api_server_nothing_is_tried_object_by_object(world, stack):
    world.publish(stack, config_map("a"), config_map("b"))

    def be_gone(method: str, path: str) -> httpx2.Response | None:
        if method == "PATCH" or path == "/readyz":
            return httpx2.Response(500, json={"message": "etcd is away"})
        return None

    world.cluster.refuse = be_gone
    world.run()
    assert world.said() == []
    world.cluster.refuse = answer_all
    world.run()
    assert [said[1] for said in world.said()] == ["SUCCESS"]


def test_an_error_of_one_object_is_no_absence_of_the_api_server(world):
    def fail(_method: str, path: str) -> httpx2.Response | None:
        return httpx2.Response(503, json={"message": "no"}) if path == place("a") else None

    world.cluster.refuse = fail
    cluster = world.cluster.connect()
    with pytest.raises(ClusterError) as raised:
        cluster.get(cluster.resource("v1", "ConfigMap"), "brokkr", "a")
    assert (type(raised.value), raised.value.may_pass) == (ClusterError, True)
