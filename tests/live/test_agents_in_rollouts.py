"""Unmodified agents of both releases go through a rollout and a rollback; they see only which object is offered."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.live import test_agent_v0_2 as v0_2
from tests.live import test_agent_v0_9 as v0_9
from tests.support.live_api import MANIFEST, created, live_client
from tests.support.scripted_agent import Call, Mission, ScriptedAgent, make_mission, sent_to
from tests.support.server import LiveServer
from tests.support.waits import wait_for

pytestmark = [pytest.mark.live, pytest.mark.any_database("what agents of two releases do in a rollout")]

_FULL, _INCREMENTAL = "?mode=full", "?mode=incremental"


@dataclass(frozen=True)
class Release:
    """A release of the agent, and the numbers of the calls that it makes here."""

    calls: list[Call]
    failures: list[Call]
    headers: Mapping[str, str]
    look_up: int
    beat: int
    poll: int
    report: int


V0_2 = Release(v0_2.CALLS, v0_2.FAILURES, {}, look_up=3, beat=4, poll=5, report=6)
V0_9 = Release(v0_9.CALLS, v0_9.FAILURES, v0_9.HEADERS, look_up=4, beat=6, poll=7, report=8)


class Cluster:
    """An agent of one release that serves the stack. It applies what it is offered, well or badly."""

    def __init__(self, broker: LiveServer, release: Release, mission: Mission, mode: str) -> None:
        self.mission = mission
        self._release, self._mode = release, mode
        self._good = sent_to(broker, mission, release.calls, release.headers)
        self._bad = sent_to(broker, mission, [*release.calls, *release.failures], release.headers)

    def __enter__(self) -> "Cluster":
        for agent in (self._good, self._bad):
            agent.perform(self._release.look_up)
            agent.perform(self._release.beat)
        return self

    def __exit__(self, *_: object) -> None:
        self._good.__exit__(None, None, None)
        self._bad.__exit__(None, None, None)

    def offered(self, stack_id: str) -> dict[str, Any] | None:
        """The object of the stack in its target state."""
        offered: dict[str, dict[str, Any]] = self._good.offered(self._release.poll, query=self._mode)
        return offered.get(stack_id)

    def report(self, object_id: str, *, well: bool = True) -> None:
        agent: ScriptedAgent = self._good if well else self._bad
        agent.perform(self._release.report, object=object_id)


@dataclass(frozen=True)
class Scene:
    """A stack that two agents have, the canary and another one. A strategy brings it to the canary first."""

    admin: httpx.Client
    stack_id: str
    canary: Cluster
    other: Cluster

    def publish(self, greeting: str) -> dict[str, Any]:
        text = MANIFEST.replace("hello", greeting)
        answer = self.admin.post(f"/stacks/{self.stack_id}/deployment-objects", json={"yaml_content": text})
        published: dict[str, Any] = created(answer)
        return published

    def wait_until_offered(self, cluster: Cluster, object_id: str) -> None:
        def is_offered() -> bool:
            obj = cluster.offered(self.stack_id)
            return obj is not None and obj["id"] == object_id

        wait_for(is_offered)

    def rollout(self) -> dict[str, Any]:
        """The newest one."""
        newest: dict[str, Any] = created(self.admin.get(f"/rollouts?stack_id={self.stack_id}&limit=1"))[0]
        return newest

    def wait_for_state(self, state: str) -> None:
        wait_for(lambda: bool(self.rollout()["state"] == state))


@pytest.fixture(params=["v0.2.0 first", "v0.9.1 first"])
def releases(request: pytest.FixtureRequest) -> tuple[Release, Release]:
    return (V0_2, V0_9) if request.param.startswith("v0.2") else (V0_9, V0_2)


@pytest.fixture(params=[_FULL, _INCREMENTAL])
def scene(
    broker: LiveServer, request: pytest.FixtureRequest, releases: tuple[Release, Release]
) -> Iterator[Scene]:
    name = f"rollout-{uuid4().hex[:8]}"
    with ExitStack() as stack:
        stack.enter_context(broker.worker())
        admin = stack.enter_context(live_client(broker, broker.admin_key))
        missions = [make_mission(broker, f"{name}-{place}") for place in ("canary", "other")]
        canary, other = (
            stack.enter_context(Cluster(broker, release, mission, request.param))
            for release, mission in zip(releases, missions, strict=True)
        )
        stack_id = missions[0].labelled_id
        created(admin.post(f"/stacks/{stack_id}/labels", json=f"{name}-other"))
        strategy = {
            "name": name,
            "waves": [
                {"name": "canary", "labels": [f"{name}-canary"], "soak_seconds": 0},
                {"name": "rest", "soak_seconds": 0},
            ],
            "on_failure": "roll_back",
        }
        created(admin.post("/rollout-strategies", json=strategy))
        created(admin.put(f"/stacks/{stack_id}/rollout-strategy", json={"strategy": name}))
        made = Scene(admin, stack_id, canary, other)
        for cluster in (canary, other):
            cluster.report(missions[0].object_id)
        yield made


def test_a_good_version_reaches_both_and_a_bad_one_only_the_canary_which_gets_the_last_good_one_back(
    scene: Scene,
):
    good = scene.publish("good")
    scene.wait_until_offered(scene.canary, good["id"])
    kept = scene.other.offered(scene.stack_id)
    assert kept is None or kept["sequence_id"] < good["sequence_id"]
    scene.canary.report(good["id"])
    scene.wait_until_offered(scene.other, good["id"])
    scene.other.report(good["id"])
    scene.wait_for_state("succeeded")

    bad = scene.publish("bad")
    scene.wait_until_offered(scene.canary, bad["id"])
    scene.canary.report(bad["id"], well=False)
    scene.wait_for_state("rolled_back")
    restored = scene.canary.offered(scene.stack_id)
    assert restored is not None
    assert restored["yaml_content"] == good["yaml_content"]
    assert restored["sequence_id"] > bad["sequence_id"]
    scene.canary.report(restored["id"])
    # Whoever has not got the bad version keeps the good one, and is told nothing.
    kept = scene.other.offered(scene.stack_id)
    assert kept is None or kept["id"] == good["id"]


def test_an_agent_that_leaves_after_its_wave_removes_the_stack_and_gets_it_anew_when_it_is_back(scene: Scene):
    version = scene.publish("good")
    scene.wait_until_offered(scene.canary, version["id"])
    scene.canary.report(version["id"])
    scene.wait_until_offered(scene.other, version["id"])
    scene.other.report(version["id"])
    scene.wait_for_state("succeeded")

    label = f"/agents/{scene.canary.mission.agent_id}/labels"
    name = created(scene.admin.get(label))[0]["label"]
    assert scene.admin.delete(f"{label}/{name}").status_code == 204
    marker = scene.canary.offered(scene.stack_id)
    assert marker is not None
    assert (marker["is_deletion_marker"], marker["yaml_content"]) == (True, "")
    scene.canary.report(marker["id"])
    assert scene.canary.offered(scene.stack_id) is None
    created(scene.admin.post(label, json={"label": name}))
    again = scene.canary.offered(scene.stack_id)
    assert again is not None
    assert again["id"] == version["id"]
