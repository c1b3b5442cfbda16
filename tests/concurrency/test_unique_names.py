"""Several callers want the same name: one gets it, the others are told."""

from typing import Any

import pytest

from agents.models import Agent, Registration
from generators.models import Generator
from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_stack, unique
from tests.support.api import refused
from tests.support.threads import call, statuses, together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

CALLERS = 4


def race(api, method: str, path: str, body) -> list[Any]:
    return together(*(call(api, method, path, body) for _ in range(CALLERS)))


def one_winner(responses, constraint: str) -> None:
    assert statuses(responses) == [201, 409, 409, 409]
    for response in responses:
        if response.status_code != 201:
            body = refused(response, 409, "unique_violation")
            assert body["details"]["constraint"] == constraint


def test_one_of_several_creators_of_a_stack_wins():
    _, api = make_generator()
    for _ in range(3):
        name = unique("wanted")
        one_winner(race(api, "POST", "/stacks", {"name": name}), "unique_stack_name")
        assert Stack.objects.filter(name=name).count() == 1


def test_creators_of_different_owners_share_one_name_space():
    apis = [make_generator()[1] for _ in range(CALLERS)]
    responses = together(*(call(api, "POST", "/stacks", {"name": "api"}) for api in apis))
    one_winner(responses, "unique_stack_name")


def test_one_of_several_creators_of_a_generator_wins(admin):
    for _ in range(3):
        name = unique("wanted")
        one_winner(race(admin, "POST", "/generators", {"name": name}), "unique_generator_name")
        assert Generator.objects.filter(name=name).count() == 1


def test_one_of_several_creators_of_an_agent_wins(admin):
    for _ in range(3):
        name = unique("wanted")
        body = {"name": name, "cluster_name": "c"}
        one_winner(race(admin, "POST", "/agents", body), "unique_agent_cluster")
        assert Agent.objects.filter(name=name).count() == 1


def test_the_first_agents_of_all_make_one_system_generator(admin):
    assert not Generator.objects.exists()
    bodies = [{"name": f"edge-{number}", "cluster_name": "c"} for number in range(CALLERS)]
    responses = together(*(call(admin, "POST", "/agents", body) for body in bodies))
    assert statuses(responses) == [201] * CALLERS
    system = Generator.objects.get()
    assert system.is_system
    assert Registration.objects.filter(generator=system).count() == CALLERS


def test_one_of_several_renamers_wins(admin):
    stacks = [make_stack() for _ in range(CALLERS)]
    responses = together(*(call(admin, "PUT", f"/stacks/{stack.id}", {"name": "wanted"}) for stack in stacks))
    assert statuses(responses) == [200, 409, 409, 409]
    assert Stack.objects.filter(name="wanted").count() == 1


def test_one_of_several_adders_of_a_label_or_annotation_wins(admin):
    stack, (agent, _) = make_stack(), make_agent()
    for owner, labels, annotations in (
        (f"/stacks/{stack.id}", "stack_labels_stack_id_label_key", "unique_stack_annotation"),
        (f"/agents/{agent.id}", "agent_labels_agent_id_label_key", "agent_annotations_agent_id_key_key"),
    ):
        for round_number in range(3):
            one_winner(race(admin, "POST", f"{owner}/labels", {"label": f"l{round_number}"}), labels)
            body = {"key": f"k{round_number}", "value": "v"}
            one_winner(race(admin, "POST", f"{owner}/annotations", body), annotations)
        assert len(admin.get(f"{owner}/labels").json()) == 3
        assert len(admin.get(f"{owner}/annotations").json()) == 3


def test_one_of_several_removers_of_a_label_finds_it(admin):
    stack = make_stack(labels=["a"])
    responses = race(admin, "DELETE", f"/stacks/{stack.id}/labels/a", ...)
    assert statuses(responses) == [204, 404, 404, 404]


def test_one_of_several_adders_of_a_target_wins(admin):
    stack, (agent, _) = make_stack(), make_agent()
    path = f"/agents/{agent.id}/targets"
    one_winner(race(admin, "POST", path, {"stack_id": str(stack.id)}), "unique_agent_stack")
    assert statuses(race(admin, "DELETE", f"{path}/{stack.id}", ...)) == [204, 404, 404, 404]
