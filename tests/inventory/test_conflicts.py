"""Conflicts: which agents should have the same object from two stacks."""

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples

from agents.models import HoldReason
from agents.services.holds import hold, release
from core.events import SYSTEM
from inventory.conflicts import conflicts_among, conflicts_of_agent, conflicts_of_stack
from stacks.services import delete_stack
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target
from tests.support.api import refused
from tests.support.fleet_world import fleet_plans, make_fleet_world
from tests.support.inventory import deployment, obj, text_of

pytestmark = pytest.mark.django_db


def two_stacks(one: str, other: str):
    """Two stacks with these manifests, and an agent that serves both."""
    agent, _ = make_agent(labels=["l"])
    stacks = [make_stack(labels=["l"]) for _ in range(2)]
    for stack, text in zip(stacks, (one, other), strict=True):
        make_object(stack, text)
    return agent, *stacks


def config(name="settings", *, kind="ConfigMap", api_version="v1", namespace=None, **fields):
    return text_of(obj(kind, name, api_version=api_version, namespace=namespace, **fields))


def test_both_stacks_and_the_agent_tell_of_the_same_object(db):
    agent, one, other = two_stacks(deployment("web", image="nginx:1"), deployment("web", image="nginx:2"))
    for conflicts in (conflicts_of_stack(one), conflicts_of_stack(other), conflicts_of_agent(agent.pk)):
        (found,) = conflicts
        assert (found.api_group, found.kind, found.name) == ("apps", "Deployment", "web")
        assert found.stack_ids == {one.pk, other.pk}
        assert found.agent_ids == {agent.pk}
        assert not found.is_identical


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (config(data={"a": "1"}), config(namespace="default", data={"a": "2"}), True),
        (config(namespace="a"), config(namespace="b"), False),
        (config("a"), config("b"), False),
        (config(kind="Secret"), config(kind="ConfigMap"), False),
        # A namespace makes no difference to what belongs to none.
        (
            config(kind="ClusterRole", api_version="rbac.authorization.k8s.io/v1", namespace="a"),
            config(kind="ClusterRole", api_version="rbac.authorization.k8s.io/v1"),
            True,
        ),
        # Of a kind that is not built in, it is not known whether it belongs to a namespace.
        (
            config(kind="Thing", api_version="example.com/v1"),
            config(kind="Thing", api_version="example.com/v1", namespace="default"),
            False,
        ),
        # The version of the API makes no difference, the group does.
        (
            config(kind="Thing", api_version="example.com/v1"),
            config(kind="Thing", api_version="example.com/v2"),
            True,
        ),
        (
            config(kind="Thing", api_version="example.com/v1"),
            config(kind="Thing", api_version="example.org/v1"),
            False,
        ),
    ],
)
def test_what_is_the_same_object(one, other, is_same):
    _, stack, _ = two_stacks(one, other)
    assert len(conflicts_of_stack(stack)) == int(is_same)


def test_what_is_written_alike_is_identical(db):
    namespace = config("shop", kind="Namespace")
    _, stack, _ = two_stacks(namespace, text_of(obj("Namespace", "shop"), obj("ConfigMap", "other")))
    (found,) = conflicts_of_stack(stack)
    assert found.is_identical


def test_two_agents_of_which_each_has_one_stack_are_no_conflict(db):
    one, other = make_stack(), make_stack()
    for stack in (one, other):
        make_object(stack, deployment("web", image=f"nginx:{stack.name}"))
        make_target(make_agent()[0], stack)
    assert conflicts_of_stack(one) == []


def test_a_stack_that_has_an_object_twice_conflicts_only_with_others(db):
    twice = config() + "---\n" + config(namespace="default")
    agent, one, _ = two_stacks(twice, config(data={"a": "b"}))
    alone, _ = make_agent()
    make_target(alone, one)
    (found,) = conflicts_of_stack(one)
    assert found.agent_ids == {agent.pk}
    assert conflicts_of_agent(alone.pk) == []


def test_only_wanted_versions_count(db):
    agent, one, other = two_stacks(deployment("web"), deployment("api"))
    newer = make_object(other, deployment("web", image="redis"))
    hold(version=newer, reason=HoldReason.ROLLOUT)
    assert conflicts_of_stack(one) == conflicts_of_agent(agent.pk) == []
    release(version=newer, agent_ids=[agent.pk])
    assert len(conflicts_of_stack(one)) == len(conflicts_of_agent(agent.pk)) == 1


def test_a_marker_and_a_deleted_stack_end_a_conflict(db):
    _, one, other = two_stacks(deployment("web", image="a"), deployment("web", image="b"))
    make_object(other, deployment("web"), is_deletion_marker=True)
    assert conflicts_of_stack(one) == []
    newest = make_object(other, deployment("web"))
    assert newest.pk in {member.version_id for member in conflicts_of_stack(one)[0].members}
    delete_stack(stack=other, actor=SYSTEM)
    assert conflicts_of_stack(one) == []


def test_given_pairs_are_compared_as_they_are_given(db):
    agent, one, other = two_stacks(deployment("web", image="a"), deployment("api"))
    first = one.deployment_objects.get()
    held = make_object(other, deployment("web", image="b"))
    pairs = [(agent.pk, one.pk, first.pk), (agent.pk, other.pk, held.pk)]
    (found,) = conflicts_among(pairs)
    assert found.agent_ids == {agent.pk}
    assert conflicts_among(pairs[:1]) == []


@examples(max_examples=15)
@given(plan=fleet_plans)
def test_agents_stacks_and_pairs_tell_of_the_same_conflicts(plan):
    """In a fleet in which all versions are about the same object."""
    with transaction.atomic():
        world = make_fleet_world(plan)
        wanted = {
            (agent.pk, stack.pk): version
            for agent, stack in world.pairs()
            if (version := world.wanted(agent, stack)) is not None and not version.is_deletion_marker
        }
        for agent in world.agents:
            having = {stack_id for agent_id, stack_id in wanted if agent_id == agent.pk}
            expected = [having] if len(having) > 1 else []
            assert [each.stack_ids for each in conflicts_of_agent(agent.pk)] == expected
        for stack, its in world.stacks.items():
            meeting = {
                agent_id
                for agent_id, stack_id in wanted
                if stack_id == stack.pk and len({s for a, s in wanted if a == agent_id}) > 1
            }
            found = [] if its["deleted"] else conflicts_of_stack(stack)
            assert {agent_id for each in found for agent_id in each.agent_ids} >= meeting
            assert bool(found) is bool(meeting)
        transaction.set_rollback(True)


def test_the_endpoint_names_other_stacks_to_an_admin_and_hides_them_from_other_tenants(admin):
    generator, api = make_generator()
    agent, _ = make_agent(labels=["l"])
    mine = make_stack(generator, labels=["l"])
    own = make_stack(generator, name="mine-too", labels=["l"])
    foreign = make_stack(name="theirs", labels=["l"])
    for stack, image in ((mine, "a"), (own, "b"), (foreign, "c")):
        make_object(stack, deployment("web", image=image))
    path = f"/stacks/{mine.id}/conflicts"
    (all_told,) = admin.get(path).json()
    assert [each["name"] for each in all_told["other_stacks"]] == ["mine-too", "theirs"]
    assert all_told["hidden_stacks"] == 0
    response = api.get(path)
    (told,) = response.json()
    assert told["other_stacks"] == [{"stack_id": str(own.id), "name": "mine-too"}]
    assert told["hidden_stacks"] == 1
    assert told["agent_ids"] == [str(agent.id)]
    assert "theirs" not in response.content.decode()
    assert str(foreign.id) not in response.content.decode()
    refused(api.get(f"/stacks/{foreign.id}/conflicts"), 403, "stack_not_owned")


@pytest.mark.parametrize(("kind", "is_told"), [("Secret", False), ("ConfigMap", False), ("Namespace", True)])
def test_a_generator_cannot_guess_the_values_of_other_tenants(admin, kind, is_told):
    generator, api = make_generator()
    make_agent(labels=["l"])
    mine, foreign = make_stack(generator, labels=["l"]), make_stack(labels=["l"])
    for stack in (mine, foreign):
        make_object(stack, config(kind=kind, **({"data": {"a": "Zw=="}} if kind != "Namespace" else {})))
    assert admin.get(f"/stacks/{mine.id}/conflicts").json()[0]["identical"]
    assert api.get(f"/stacks/{mine.id}/conflicts").json()[0]["identical"] == is_told


class TestWarnings:
    def publish(self, api, stack, text):
        response = api.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": text})
        assert response.status_code == 201, response.content
        return [(each["code"], each["line"], each["message"]) for each in response.json()["warnings"]]

    def test_a_publish_warns_of_an_object_that_another_stack_has(self, admin):
        _, one, other = two_stacks(config("other"), deployment("web", image="a"))
        text = config("settings") + "---\n" + deployment("web", image="b")
        (warning,) = self.publish(admin, one, text)
        assert warning[:2] == ("object_in_another_stack", 3)
        assert f"'web' is also in the stack {other.name}, and 1 agent should have both" in warning[2]

    def test_a_generator_is_not_told_in_which(self):
        generator, api = make_generator()
        make_agent(labels=["l"])
        foreign, mine = make_stack(name="theirs", labels=["l"]), make_stack(generator, labels=["l"])
        make_object(foreign, deployment("web", image="a"))
        (warning,) = self.publish(api, mine, deployment("web", image="b"))
        assert "is also in another stack, and" in warning[2]
        assert "theirs" not in warning[2]

    def test_it_does_not_warn_of_what_is_written_alike_or_meets_on_no_agent(self, admin):
        _, one, _ = two_stacks(config("a"), config("shop", kind="Namespace"))
        assert self.publish(admin, one, config("shop", kind="Namespace")) == []
        make_object(make_stack(), deployment("web", image="a"))
        assert self.publish(admin, one, deployment("web", image="b")) == []


def test_an_explanation_tells_of_conflicts_and_blocks_nothing(admin):
    agent, one, other = two_stacks(deployment("web", image="a"), deployment("web", image="b"))
    answer = admin.get(f"/agents/{agent.id}/explain?stack_id={one.id}").json()
    assert [each["other_stacks"][0]["stack_id"] for each in answer["conflicts"]] == [str(other.id)]
    generator_api = make_generator()[1]
    refused(generator_api.get(f"/agents/{agent.id}/explain?stack_id={one.id}"), 403, "stack_not_owned")


def test_all_conflicts_of_one_agent_are_listed_what_is_written_alike_last(admin):
    alike = config("alike", data={"a": "1"})
    agent, one, other = two_stacks(
        f"{alike}---\n{deployment('web', image='nginx:1')}",
        f"{alike}---\n{deployment('web', image='nginx:2')}",
    )
    found = admin.get(f"/agents/{agent.pk}/conflicts").json()
    assert [(each["kind"], each["name"], each["identical"]) for each in found] == [
        ("Deployment", "web", False),
        ("ConfigMap", "alike", True),
    ]
    assert [each["name"] for each in found[0]["stacks"]] == sorted([one.name, other.name])
    refused(admin.get(f"/agents/{one.pk}/conflicts"), 404, "agent_not_found")
