"""Deletions in the admin say how many agents remove what, and the wide ones ask for the name."""

import pytest

from agents.models import Agent
from generators.models import Generator
from stacks.models import Stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack
from tests.support.admin import messages_of

pytestmark = pytest.mark.django_db

REFUSED = ["Nothing is deleted: what was typed is not what was asked for."]


@pytest.fixture
def shop(settings):
    """A stack that three of four agents serve and two of them have deployed."""
    settings.CONFIRM_BY_NAME_PERCENT = 25
    stack = make_stack(name="shop", labels=["prod"])
    obj = make_object(stack)
    agents = [make_agent(labels=["prod"])[0] for _ in range(3)]
    make_agent()
    for agent in agents[:2]:
        make_event(agent, obj)
    return stack


def delete(operator, row, **data):
    path = f"{row._meta.app_label}/{row._meta.model_name}/{row.pk}/delete/"
    return operator.post(path, {"post": "yes"} | data)


def question(operator, row) -> str:
    path = f"{row._meta.app_label}/{row._meta.model_name}/{row.pk}/delete/"
    return str(operator.get(path).content.decode())


def test_deleting_a_stack_says_how_many_agents_will_remove_it(operator, shop):
    assert "2 of 4 agents will remove from their clusters what they have deployed." in question(
        operator, shop
    )


def test_deleting_a_generator_counts_over_all_its_stacks_each_agent_once(operator, shop):
    other = make_stack(shop.generator, labels=["prod"])
    make_event(Agent.objects.filter(stack_reports__stack=shop).order_by("name")[0], make_object(other))
    assert "2 of 4 agents will remove" in question(operator, shop.generator)


def test_an_agent_that_no_longer_serves_the_stack_removes_nothing(operator, shop):
    shop.labels.all().delete()
    assert "No agent has deployed anything of it." in question(operator, shop)


@pytest.mark.parametrize("is_required", [True, False])
def test_registration_counts_where_it_is_required(operator, shop, settings, is_required):
    settings.REQUIRE_REGISTRATION = is_required
    assert ("2 of 4 agents" in question(operator, shop)) is not is_required


def test_a_wide_deletion_takes_the_name(operator, shop):
    assert 'name="typed"' in question(operator, shop)
    for typed in ({}, {"typed": "shop-2"}):
        assert messages_of(delete(operator, shop, **typed)) == REFUSED
    assert Stack.objects.active().exists()
    delete(operator, shop, typed="shop")
    assert not Stack.objects.active().exists()


def test_a_narrow_deletion_takes_no_name(operator, shop, settings):
    settings.CONFIRM_BY_NAME_PERCENT = 75
    assert 'name="typed"' not in question(operator, shop)
    delete(operator, shop)
    assert not Stack.objects.active().exists()


def test_agents_themselves_are_their_reach(operator, settings):
    agents = [make_agent()[0] for _ in range(4)]
    settings.CONFIRM_BY_NAME_PERCENT = 25
    assert "1 of 4 agents leaves the fleet." in question(operator, agents[0])
    assert 'name="typed"' not in question(operator, agents[0])
    settings.CONFIRM_BY_NAME_PERCENT = 24
    delete(operator, agents[0])
    assert Agent.objects.active().count() == 4
    delete(operator, agents[0], typed=agents[0].name)
    assert Agent.objects.active().count() == 3


def test_several_are_deleted_together_after_a_phrase(operator, shop):
    other = make_stack(name="cafe", labels=["prod"])
    make_event(Agent.objects.filter(stack_reports__stack=shop)[0], make_object(other))
    chosen = {"action": "delete_selected", "_selected_action": [str(shop.pk), str(other.pk)]}
    asked = operator.post("stacks/stack/", chosen).content.decode()
    assert "2 of 4 agents will remove from their clusters" in asked
    assert "2 of 4 agents will remove it." in asked
    assert "1 of 4 agents will remove it." in asked
    assert "delete 2 stacks" in asked
    assert messages_of(operator.post("stacks/stack/", chosen | {"post": "yes", "typed": "shop"})) == REFUSED
    assert Stack.objects.active().count() == 2
    operator.post("stacks/stack/", chosen | {"post": "yes", "typed": "delete 2 stacks"})
    assert not Stack.objects.active().exists()


def test_a_generator_nobody_deploys_from_is_deleted_without_a_phrase(operator):
    make_agent()
    generator, _ = make_generator()
    delete(operator, generator)
    assert not Generator.objects.active().filter(pk=generator.pk).exists()
