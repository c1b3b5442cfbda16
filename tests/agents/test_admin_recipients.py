"""Who gets a stack, in the admin: now, and if it were labelled differently."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from agents.wanted.ties import Offer, agents_for, serving_agents, tied_agents
from tests.factories import (
    make_agent,
    make_generator,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.admin import AdminPages, staff

pytestmark = pytest.mark.django_db


def page(stack) -> str:
    return f"stacks/stack/{stack.pk}/recipients/"


def listed(operator: AdminPages, stack, **query) -> list[Agent]:
    return list(operator.get(page(stack), **query).context["page"])


def counts(operator: AdminPages, stack, **query) -> dict[str, int]:
    return {name: count for name, _, count in operator.get(page(stack), **query).context["lists"]}


@pytest.fixture
def fleet():
    """A stack and agents tied to it in each way, the last one not at all."""
    stack = make_stack(labels=["prod", "eu"], annotations={"tier": "web"})
    by_label = make_agent(name="a", labels=["prod"])[0]
    by_annotation = make_agent(name="b", annotations={"tier": "web"})[0]
    by_target = make_agent(name="c", labels=["eu"])[0]
    make_target(by_target, stack)
    make_agent(name="d", labels=["us"], annotations={"tier": "db"})
    return stack, [by_label, by_annotation, by_target]


def test_the_agents_and_why_they_get_it(operator, fleet):
    stack, agents = fleet
    assert listed(operator, stack) == agents
    table = operator.get(page(stack)).context["table"]
    why = ["".join(str(row[3]).split("<")) for row in table["rows"]]
    assert "label" in why[0]
    assert "tier=web" in why[1]
    assert "explicit target" in why[2]
    assert "eu" in why[2]


def test_a_label_that_is_about_to_be_added(operator, fleet):
    stack, _ = fleet
    (new,) = listed(operator, stack, add_label="us")
    assert new.name == "d"
    assert counts(operator, stack, add_label="us") == {"now": 3, "gain": 1, "lose": 0}
    assert not stack.labels.filter(label="us").exists()


def test_a_label_that_is_about_to_be_removed(operator, fleet):
    stack, agents = fleet
    response = operator.get(page(stack), remove_label="prod")
    assert list(response.context["page"]) == [agents[0]]
    assert b"remove from their clusters" in response.content
    # The explicit target keeps the agent without the label.
    assert counts(operator, stack, remove_label="eu") == {"now": 3, "gain": 0, "lose": 0}


def test_annotations_replace_the_one_of_their_key(operator, fleet):
    stack, agents = fleet
    query = {"add_annotation": "tier=db"}
    assert counts(operator, stack, **query) == {"now": 3, "gain": 1, "lose": 1}
    assert listed(operator, stack, show="lose", **query) == [agents[1]]
    assert listed(operator, stack, remove_annotation="tier=web") == [agents[1]]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("add_label", "two words"),
        ("add_annotation", "tier"),
        ("add_annotation", "=x"),
        ("remove_label", "none"),
    ],
)
def test_what_is_no_label_is_an_error_at_its_field_and_previews_nothing(operator, fleet, field, text):
    response = operator.get(page(fleet[0]), **{field: text})
    assert field in response.context["form"].errors
    assert not response.context["is_preview"]


def test_agents_held_back_by_a_missing_registration_are_listed_apart(operator, settings):
    settings.REQUIRE_REGISTRATION = True
    generator = make_generator()[0]
    stack = make_stack(generator, labels=["prod"])
    registered, unregistered = (make_agent(labels=["prod", "us"])[0] for _ in range(2))
    make_registration(registered, generator)
    assert counts(operator, stack) == {"now": 1, "held": 1}
    assert listed(operator, stack) == [registered]
    assert listed(operator, stack, show="held") == [unregistered]
    assert b"held back" in operator.get(page(stack), show="held").content
    assert counts(operator, stack, add_label="eu", remove_label="prod")["held_then"] == 0


def test_a_stack_that_nobody_gets_says_what_to_do(operator):
    assert b"It carries no label and no annotation" in operator.get(page(make_stack())).content
    assert b"No agent carries one of its labels" in operator.get(page(make_stack(labels=["a"]))).content


def test_pages_follow_one_another(operator):
    stack = make_stack(labels=["prod"])
    for _ in range(51):
        make_agent(labels=["prod"])
    first = operator.get(page(stack), add_label="us", show="now")
    assert len(first.context["page"]) == 50
    assert b"add_label=us&amp;show=now&amp;page=2" in first.content
    assert len(listed(operator, stack, page="2")) == 1
    assert len(listed(operator, stack, page="nothing")) == 50


@pytest.mark.parametrize("is_required", [True, False])
def test_the_preview_of_no_change_is_the_rule_itself(settings, is_required):
    settings.REQUIRE_REGISTRATION = is_required
    generator = make_generator()[0]
    pair = {"k": "v"}
    stacks = [
        make_stack(generator),
        make_stack(generator, labels=["a"]),
        make_stack(generator, labels=["a", "b"], annotations=pair),
        make_stack(generator, annotations=pair),
    ]
    agents = [
        make_agent(labels=["a"])[0],
        make_agent(labels=["b"], annotations=pair)[0],
        make_agent(annotations={"k": "x"})[0],
        make_agent(labels=["a"])[0],
    ]
    make_registration(agents[0], generator)
    make_target(agents[0], stacks[0])
    found = 0
    for stack in stacks:
        offer = Offer.of(stack)
        serving = set(serving_agents(stack))
        assert set(agents_for(offer)) == serving
        assert set(tied_agents(offer)) >= serving
        found += len(serving)
    assert found == (3 if is_required else 7)


def test_staff_without_the_permission_does_not_open_it():
    stack = make_stack()
    assert staff("stacks.view_stack").get(page(stack)).status_code == 403
    assert staff("stacks.view_stack", "agents.view_agent", name="beth").get(page(stack)).status_code == 200


@pytest.mark.parametrize("is_required", [True, False])
def test_the_page_costs_the_same_queries_for_any_number_of_agents(operator, settings, is_required):
    settings.REQUIRE_REGISTRATION = is_required

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(stack), add_label="us").status_code == 200
        return len(captured)

    stack = make_stack(labels=["prod"], annotations={"tier": "web"})
    make_agent(labels=["prod", "us"], annotations={"tier": "web"})
    one = cost()
    for _ in range(12):
        make_agent(labels=["prod", "us"], annotations={"tier": "web"})
    assert cost() == one
