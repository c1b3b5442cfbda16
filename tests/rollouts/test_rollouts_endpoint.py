"""GET /rollouts, /rollouts/{id} and /rollouts/{id}/agents."""

from datetime import timedelta

import pytest

from agents.models import AgentHeartbeat, AgentLabel
from rollouts.models import Rollout, RolloutState
from rollouts.services.control import skip
from tests.factories import make_agent, make_generator, make_health
from tests.support.api import refused
from tests.support.rollouts import ADMIN, make_scene, wave

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def rollout(scene):
    return scene.start()


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()]


def figures(wave):
    return {
        name: wave[name]
        for name in ("members", "applied", "proven", "healthy", "failing", "waiting", "deferred")
        if wave[name]
    }


def test_a_list_is_newest_first_and_has_those_that_have_ended(admin, scene):
    older, newer = scene.start("a: 2"), scene.start("a: 3")
    rows = admin.get("/rollouts").json()
    assert [(row["id"], row["state"]) for row in rows] == [
        (str(newer.pk), "progressing"),
        (str(older.pk), "superseded"),
    ]


def test_a_list_can_be_of_one_state_and_of_one_stack(admin, scene):
    older, newer = scene.start("a: 2"), scene.start("a: 3")
    elsewhere = make_scene().start()
    assert ids(admin.get("/rollouts?state=progressing")) == [str(elsewhere.pk), str(newer.pk)]
    assert ids(admin.get(f"/rollouts?stack_id={scene.stack.pk}")) == [str(newer.pk), str(older.pk)]
    assert ids(admin.get(f"/rollouts?stack_id={scene.stack.pk}&state=superseded")) == [str(older.pk)]
    refused(admin.get("/rollouts?state=lost"), 400, "invalid_query")


def test_a_generator_sees_those_of_its_own_stacks(rollout):
    generator, owner = make_generator()
    own = make_scene(generator=generator).start()
    assert ids(owner.get("/rollouts")) == [str(own.pk)]
    refused(owner.get(f"/rollouts/{rollout.pk}"), 403, "stack_not_owned")


@pytest.mark.parametrize("rows", [1, 12])
def test_the_number_of_queries_of_a_list_is_fixed(admin, rows, django_assert_num_queries):
    scene = make_scene(agents=1)
    for number in range(rows):
        scene.publish(f"a: {number + 2}")
    admin.get("/rollouts")
    with django_assert_num_queries(2):
        assert len(ids(admin.get("/rollouts"))) == rows


def test_a_rollout_names_its_version_and_the_previous_one(admin, scene, rollout):
    body = admin.get(f"/rollouts/{rollout.pk}").json()
    assert body["version"] == {
        "id": str(rollout.version.id),
        "sequence_id": rollout.version_id,
        "is_deletion_marker": False,
    }
    assert body["previous_version"]["sequence_id"] == scene.first.pk
    assert (body["stack_id"], body["state"]) == (str(scene.stack.pk), "progressing")
    assert (body["wave"], body["wave_count"], body["held_back"]) == (1, 2, 3)
    assert (body["published_by"], body["skipped"], body["unheld_at"]) == ("astrid", False, None)
    assert body["definition"]["waves"][0]["count"] == 1


def test_it_says_what_it_waits_for(admin, scene, rollout):
    (canary,) = scene.holders(rollout.version)
    sentence = admin.get(f"/rollouts/{rollout.pk}").json()["waits_for"]
    assert sentence.startswith(f"Wave 1 waits for 1 of 1 agent, the first is {canary.name}")


def test_its_waves_are_counted_by_what_their_members_report(admin):
    scene = make_scene(wave("five", count=5), wave())
    scene.agents += [make_agent(active=True, labels=["app"])[0] for _ in range(4)]
    rollout = scene.start()
    well, applied, failing, _, leaving = scene.holders(rollout.version)
    scene.report([well, applied, leaving], rollout.version)
    scene.report([failing], rollout.version, "FAILURE")
    make_health(well, rollout.version)
    AgentLabel.objects.filter(agent=leaving).delete()
    first, rest = admin.get(f"/rollouts/{rollout.pk}").json()["waves"]
    assert figures(first) == {"members": 4, "applied": 2, "healthy": 1, "failing": 1, "waiting": 1}
    assert (first["name"], first["matched"], first["proven_at"]) == ("five", 8, None)
    assert first["released_at"] < first["deadline_at"]
    assert (figures(rest), rest["released_at"], rest["deadline_at"]) == ({}, None, None)


def test_silent_members_are_deferred(admin):
    scene = make_scene(wave("both", count=2), wave(), agents=2)
    silent = scene.agents[0]
    AgentHeartbeat.objects.filter(agent=silent).update(last_heartbeat=scene.now - timedelta(days=1))
    rollout = scene.start()
    first = admin.get(f"/rollouts/{rollout.pk}").json()["waves"][0]
    assert figures(first) == {"members": 2, "waiting": 1, "deferred": 1}
    rows = admin.get(f"/rollouts/{rollout.pk}/agents?state=deferred").json()
    assert [row["agent_name"] for row in rows] == [silent.name]


def test_a_proven_wave_says_when(admin, scene, rollout):
    scene.prove(rollout)
    first = admin.get(f"/rollouts/{rollout.pk}").json()["waves"][0]
    assert first["proven_at"] > first["released_at"]
    assert figures(first) == {"members": 1, "applied": 1, "proven": 1}


def test_a_rollout_that_is_done_says_since_when_everybody_has_the_version(admin, scene, rollout):
    rollout = scene.prove(scene.prove(rollout))
    assert rollout.state == RolloutState.SUCCEEDED
    body = admin.get(f"/rollouts/{rollout.pk}").json()
    assert body["unheld_at"] == body["state_since"]
    assert body["held_back"] == 0


def test_a_skipped_rollout_says_so(admin, scene, rollout):
    skip(rollout_id=rollout.pk, reason="urgent", actor=ADMIN, now=scene.now)
    body = admin.get(f"/rollouts/{rollout.pk}").json()
    assert (body["state"], body["skipped"], body["reason"]) == ("succeeded", True, "urgent")
    assert body["unheld_at"] is not None


def test_a_rollout_that_has_not_started_has_its_waves_without_figures(admin):
    scene = make_scene(on_newer="queue")
    scene.start("a: 2")
    queued = Rollout.objects.get(version=scene.publish("a: 3"))
    body = admin.get(f"/rollouts/{queued.pk}").json()
    assert [wave["name"] for wave in body["waves"]] == ["canary", "rest"]
    assert (body["state"], body["previous_version"], body["started_at"]) == ("queued", None, None)


def test_a_rollout_that_has_not_changed_is_not_sent_again(admin, rollout):
    tag = admin.get(f"/rollouts/{rollout.pk}").headers["ETag"]
    assert admin.get(f"/rollouts/{rollout.pk}", headers={"If-None-Match": tag}).status_code == 304


def test_its_agents_are_listed_with_what_they_make_of_the_version(admin, scene, rollout):
    (canary,) = scene.holders(rollout.version)
    path = f"/rollouts/{rollout.pk}/agents"

    def only():
        (row,) = admin.get(path).json()
        return row

    assert (only()["agent_id"], only()["wave"], only()["state"]) == (str(canary.pk), 1, "waiting")
    scene.report([canary], rollout.version, "FAILURE")
    assert (only()["state"], only()["message"]) == ("failing", "no such image")
    scene.report([canary], rollout.version)
    make_health(canary, rollout.version)
    assert (only()["state"], only()["health"], only()["message"]) == ("applied", "healthy", None)
    scene.tick(rollout, after=timedelta(seconds=120))
    assert [row["state"] for row in admin.get(f"{path}?wave=1").json()] == ["proven"]
    AgentLabel.objects.filter(agent=canary).delete()
    assert [row["state"] for row in admin.get(f"{path}?wave=1").json()] == ["left"]


def test_the_list_of_agents_is_filtered_and_comes_in_pages(admin):
    scene = make_scene(wave("three", count=3), wave())
    rollout = scene.start()
    holders = scene.holders(rollout.version)
    scene.report(holders[:1], rollout.version)
    path = f"/rollouts/{rollout.pk}/agents"
    assert [row["agent_id"] for row in admin.get(f"{path}?state=applied").json()] == [str(holders[0].pk)]
    assert admin.get(f"{path}?wave=2").json() == []
    first = admin.get(f"{path}?limit=2&count=true")
    assert first.headers["X-Total-Count"] == "3"
    rest = admin.get(first.headers["Link"].split(">")[0].removeprefix("</api/v1"))
    found = {row["agent_id"] for row in first.json() + rest.json()}
    assert found == {str(agent.pk) for agent in holders}


@pytest.mark.parametrize("agents", [2, 12])
def test_the_number_of_queries_does_not_grow_with_the_agents(admin, agents, django_assert_max_num_queries):
    scene = make_scene(wave(), agents=agents)
    rollout = scene.start()
    admin.get(f"/rollouts/{rollout.pk}")
    with django_assert_max_num_queries(12):
        admin.get(f"/rollouts/{rollout.pk}")
    with django_assert_max_num_queries(5):
        assert len(admin.get(f"/rollouts/{rollout.pk}/agents").json()) == agents
