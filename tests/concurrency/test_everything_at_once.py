"""A crowd that does everything to the same few things: nobody deadlocks, nobody sees an internal error."""

import random
from functools import partial

import pytest

from agents.models import AgentTarget
from stacks.models import DeploymentObject, Stack
from tests.factories import make_agent, make_generator, make_object, make_stack, manifest
from tests.support.api import Api
from tests.support.threads import together

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]

THREADS, ACTIONS = 6, 25


@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_is_a_success_or_a_refusal(admin, seed):
    generators = [make_generator() for _ in range(2)]
    agents = [make_agent(labels=["a"]) for _ in range(2)]
    stacks = [make_stack(generator, labels=["a"]) for generator, _ in generators for _ in range(2)]
    objects = [make_object(stack) for stack in stacks]

    def act(api: Api, choose: random.Random) -> list[tuple[str, int]]:
        answers = []
        for number in range(ACTIONS):
            generator, agent = choose.choice(generators)[0], choose.choice(agents)[0]
            stack, obj = choose.choice(stacks), choose.choice(objects)
            other = choose.choice(generators)[0]
            unique = f"{choose.random()}"
            method, path, body = choose.choice(
                [
                    ("POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(number)}),
                    ("POST", f"/stacks/{stack.id}/deployment-objects", {"yaml_content": manifest(number)}),
                    ("PUT", f"/stacks/{stack.id}", {"generator_id": str(other.id)}),
                    ("PUT", f"/stacks/{stack.id}", {"name": choose.choice("abc")}),
                    ("POST", "/stacks", {"name": unique, "generator_id": str(generator.id)}),
                    ("POST", f"/stacks/{stack.id}/labels", choose.choice("abc")),
                    ("DELETE", f"/stacks/{stack.id}/labels/{choose.choice('abc')}", ...),
                    ("POST", f"/agents/{agent.id}/targets", {"stack_id": str(stack.id)}),
                    ("DELETE", f"/agents/{agent.id}/targets/{stack.id}", ...),
                    ("POST", f"/generators/{generator.id}/register", {"agent_id": str(agent.id)}),
                    ("DELETE", f"/generators/{generator.id}/register", {"agent_id": str(agent.id)}),
                    ("PUT", f"/agents/{agent.id}", {"status": "ACTIVE"}),
                    ("POST", f"/agents/{agent.id}/rotate-pak", ...),
                    ("POST", f"/generators/{generator.id}/rotate-pak", ...),
                    ("GET", f"/agents/{agent.id}/target-state", ...),
                    (
                        "POST",
                        f"/agents/{agent.id}/events",
                        {
                            "deployment_object_id": str(obj.id),
                            "event_type": "DEPLOY",
                            "status": choose.choice(["SUCCESS", "FAILURE"]),
                        },
                    ),
                    *(
                        [
                            ("DELETE", f"/stacks/{stack.id}", ...),
                            ("DELETE", f"/agents/{agent.id}", ...),
                            ("DELETE", f"/generators/{generator.id}", ...),
                        ]
                        if number > ACTIONS // 2
                        else []
                    ),
                ]
            )
            answers.append((f"{method} {path}", api.request(method, path, body).status_code))
        return answers

    crowd = together(
        *(
            partial(act, Api(admin.key), random.Random(seed * 100 + number))  # noqa: S311  # a repeatable crowd
            for number in range(THREADS)
        )
    )
    answers = [answer for answers in crowd for answer in answers]
    assert len(answers) == THREADS * ACTIONS
    assert [answer for answer in answers if answer[1] >= 500] == []
    for stack in Stack.objects.deleted():
        assert [
            obj.is_deletion_marker for obj in DeploymentObject.objects.versions().filter(stack=stack)
        ] == [True]
    assert not AgentTarget.objects.filter(agent__deleted_at__isnull=False).exists()
    assert not AgentTarget.objects.filter(stack__deleted_at__isnull=False).exists()
    assert not Stack.objects.active().filter(generator__deleted_at__isnull=False).exists()
