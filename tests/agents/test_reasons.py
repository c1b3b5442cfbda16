"""Why an agent serves a stack: the same answers as the rule, with their words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Registration
from agents.reasons import Reason, Tie, reasons_for_agents, reasons_for_stacks
from agents.wanted.ties import Offer, served_stacks, serving_agents, tied_agents, tied_stacks
from tests.factories import make_agent, make_generator, make_registration, make_stack, make_target

pytestmark = pytest.mark.django_db


def why(agent, stack) -> list[Reason]:
    """As both ends tell it."""
    of_stack = reasons_for_stacks(agent.id, [stack]).get(stack.id, [])
    assert reasons_for_agents(Offer.of(stack), [agent]).get(agent.id, []) == of_stack
    return of_stack


def test_every_tie_is_named():
    agent, _ = make_agent(labels=["prod", "eu", "own"], annotations={"tier": "web", "own": "1"})
    stack = make_stack(labels=["prod", "eu", "other"], annotations={"tier": "web", "own": "2"})
    make_target(agent, stack)
    assert why(agent, stack) == [
        Reason(Tie.TARGET),
        Reason(Tie.LABEL, "eu"),
        Reason(Tie.LABEL, "prod"),
        Reason(Tie.ANNOTATION, "tier=web"),
    ]


def test_without_a_tie_there_is_no_reason():
    agent, _ = make_agent(labels=["prod"], annotations={"tier": "web"})
    assert why(agent, make_stack(labels=["dev"], annotations={"tier": "db"})) == []


@pytest.mark.parametrize("is_registered", [True, False])
def test_a_missing_registration_holds_labels_and_annotations_back_but_not_targets(settings, is_registered):
    generator, _ = make_generator()
    agent, _ = make_agent(labels=["prod"], annotations={"tier": "web"})
    labelled = make_stack(generator, labels=["prod"], annotations={"tier": "web"})
    targeted = make_stack(generator)
    make_target(agent, targeted)
    if is_registered:
        make_registration(agent, generator)
    settings.REQUIRE_REGISTRATION = True
    held_back = not is_registered
    assert why(agent, labelled) == [
        Reason(Tie.LABEL, "prod", held_back),
        Reason(Tie.ANNOTATION, "tier=web", held_back),
    ]
    assert why(agent, targeted) == [Reason(Tie.TARGET)]


@pytest.mark.parametrize("is_required", [True, False])
def test_a_stack_is_served_if_and_only_if_a_reason_counts(settings, is_required):
    settings.REQUIRE_REGISTRATION = is_required
    mine, others = make_generator()[0], make_generator()[0]
    agents = [
        make_agent(labels=labels, annotations=pairs)[0]
        for labels, pairs in ((["a"], {}), (["b"], {"k": "v"}))
    ]
    stacks = [
        make_stack(owner, labels=labels, annotations=pairs)
        for owner in (mine, others)
        for labels, pairs in ((["a", "b"], {}), ([], {"k": "v"}), (["c"], {"k": "w"}))
    ]
    for agent in agents:
        make_registration(agent, mine)
        Registration.objects.filter(agent=agent).exclude(generator=mine).delete()
    make_target(agents[0], stacks[2])
    served = 0
    for agent in agents:
        reasons = reasons_for_stacks(agent.id, stacks)
        counting = {pk for pk, some in reasons.items() if not all(reason.is_held_back for reason in some)}
        assert counting == set(served_stacks(agent.id).values_list("pk", flat=True))
        assert set(reasons) == set(tied_stacks(agent.id).values_list("pk", flat=True))
        served += len(counting)
    for stack in stacks:
        reasons = reasons_for_agents(Offer.of(stack), agents)
        counting = {pk for pk, some in reasons.items() if not all(reason.is_held_back for reason in some)}
        assert counting == set(serving_agents(stack).values_list("pk", flat=True))
        assert set(reasons) == set(tied_agents(Offer.of(stack)).values_list("pk", flat=True))
    assert served == (4 if is_required else 7)


@pytest.mark.parametrize("is_required", [True, False])
def test_the_queries_do_not_grow_with_the_rows(settings, is_required):
    settings.REQUIRE_REGISTRATION = is_required
    agents = [make_agent(labels=["a"])[0] for _ in range(3)]
    stacks = [make_stack(labels=["a"], annotations={"b": "c"}) for _ in range(3)]
    offer = Offer.of(stacks[0])
    costs = []
    for number in (1, 3):
        with CaptureQueriesContext(connection) as captured:
            assert len(reasons_for_stacks(agents[0].id, stacks[:number])) == number
            assert len(reasons_for_agents(offer, agents[:number])) == number
        costs.append(len(captured))
    assert costs[0] == costs[1] == (8 if is_required else 6)
