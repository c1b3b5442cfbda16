"""A plan tells which objects agents will have from more than one stack."""

import pytest

from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.plans.asking import told
from tests.support.inventory import deployment

pytestmark = pytest.mark.django_db


@pytest.fixture
def other():
    """A stack with the Deployment `web`, and the agent that serves it."""
    stack = make_stack(labels=["prod"])
    make_object(stack, deployment("web", image="nginx:1"))
    agent, _ = make_agent(labels=["prod"], active=True)
    return stack, agent


def conflicts(plan):
    return [
        (each["kind"], each["name"], [named["name"] for named in each["other_stacks"]], each["hidden_stacks"])
        for stack in plan["stacks"]
        for each in stack["conflicts"]
        if not each["identical"]
    ]


def test_a_label_brings_a_conflict_with_what_the_agent_has(admin, other):
    stack, agent = other
    make_object(fresh := make_stack(), deployment("web", image="nginx:2"))
    plan = told(admin, "POST", f"/stacks/{fresh.id}/labels", "prod")
    assert conflicts(plan) == [("Deployment", "web", [stack.name], 0)]
    assert plan["stacks"][0]["conflicts"][0]["agent_ids"] == [str(agent.id)]


def test_a_version_that_the_write_makes_conflicts_too(admin, other):
    stack, _ = other
    fresh = make_stack(labels=["prod"])
    body = {"yaml_content": deployment("web", image="nginx:2")}
    plan = told(admin, "POST", f"/stacks/{fresh.id}/deployment-objects", body)
    assert conflicts(plan) == [("Deployment", "web", [stack.name], 0)]


def test_two_stacks_that_an_agent_gains_at_once_conflict_with_each_other(admin):
    names = []
    for image in ("nginx:1", "nginx:2"):
        make_object(stack := make_stack(labels=["prod"]), deployment("web", image=image))
        names.append(stack.name)
    agent, _ = make_agent()
    plan = told(admin, "POST", f"/agents/{agent.id}/labels", "prod")
    assert sorted(conflicts(plan)) == sorted(("Deployment", "web", [name], 0) for name in names)


def test_other_objects_and_other_agents_make_no_conflict(admin, other):
    fresh = make_stack()
    make_object(fresh, deployment("api", image="nginx:2"))
    assert conflicts(told(admin, "POST", f"/stacks/{fresh.id}/labels", "prod")) == []
    make_object(fresh, deployment("web", image="nginx:2"))
    make_agent(labels=["test"], active=True)
    assert conflicts(told(admin, "POST", f"/stacks/{fresh.id}/labels", "test")) == []


def test_a_generator_learns_nothing_of_another_tenants_stack(other):
    generator, api = make_generator()
    make_object(fresh := make_stack(generator), deployment("web", image="nginx:2"))
    plan = told(api, "POST", f"/stacks/{fresh.id}/labels", "prod")
    assert conflicts(plan) == [("Deployment", "web", [], 1)]
    assert other[0].name not in str(plan)


def test_the_admin_shows_conflicts_before_it_publishes(operator, other):
    stack, _ = other
    fresh = make_stack(labels=["prod"])
    fields = {"manifest": deployment("web", image="nginx:2"), "_publish": "yes"}
    page = operator.post_once(f"stacks/stack/{fresh.pk}/publish/", fields).content.decode()
    assert "Nothing is published yet" in page
    assert f"Deployment web is in the stack {stack.name} too" in page
    assert not fresh.deployment_objects.exists()
