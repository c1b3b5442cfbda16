"""Stacks, agents and orders may have more annotations than SQLite nests expressions."""

import pytest

from agents.models import AgentAnnotation
from agents.wanted.words import annotations_among
from stacks.models import StackAnnotation
from tests.factories import make_agent, make_stack, make_work_order
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db

MANY = 1_500
KEYS = [f"key-{number:04}" for number in range(MANY)]


def test_agents_are_found_by_the_first_and_the_last_of_many_annotations():
    for key, value in ((KEYS[0], "v"), (KEYS[-1], "v"), (KEYS[1], "other"), ("none", "v")):
        make_agent(annotations={key: value})
    found = annotations_among((key, "v") for key in KEYS)
    assert sorted(found.values_list("key", flat=True)) == [KEYS[0], KEYS[-1]]
    assert not annotations_among([]).exists()


@pytest.mark.parametrize("page", ["recipients", "outcomes", "change", "delete"])
def test_pages_of_a_stack_with_many_annotations_open(operator, page):
    stack = make_stack()
    agent, _ = make_agent(name="edge-7", active=True, annotations={KEYS[-1]: "v"})
    rows = [StackAnnotation(stack=stack, key=key, value="v") for key in KEYS]
    StackAnnotation.objects.bulk_create(rows, batch_size=100)
    answer = operator.get(f"stacks/stack/{stack.pk}/{page}/")
    assert answer.status_code == 200
    if page == "recipients":
        assert list(answer.context["page"]) == [agent]


@pytest.mark.parametrize("page", ["change", "explain", "delete"])
def test_pages_of_an_agent_with_many_annotations_open(operator, page):
    agent, _ = make_agent(active=True)
    make_stack(annotations={KEYS[0]: "v"})
    rows = [AgentAnnotation(agent=agent, key=key, value="v") for key in KEYS]
    AgentAnnotation.objects.bulk_create(rows, batch_size=100)
    assert operator.get(f"agents/agent/{agent.pk}/{page}/").status_code == 200


def test_the_page_of_an_order_for_many_annotations_opens(operator):
    order = make_work_order(targeting=Targeting(annotations=dict.fromkeys(KEYS, "v")))
    assert operator.get(f"workorders/workorder/{order.pk}/change/").status_code == 200
