"""What a key with limits hears of the other stacks of its generator: nothing, from no route."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from core.events import SYSTEM
from generators.models import Generator
from generators.services import issue_generator_pak
from inventory.models import UnreadVersion
from paks.limits import Limits
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from tests.architecture.test_routes import PATHS
from tests.factories import (
    make_agent,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
    make_template,
)
from tests.support.api import Api
from tests.support.inventory import deployment
from tests.support.rollouts import ADMIN, Scene, give_strategy, make_strategy
from tests.support.routes import api_routes
from tests.support.shared_rows import shared_rows
from tests.support.world import World

pytestmark = pytest.mark.django_db

# What may not be heard of has it in its name.
HIDDEN = "veiled"
GETS = [str(route) for route in api_routes() if route.method == "GET"]
LIMITED = ("stacks", "labels")


@dataclass
class Sight:
    """`keys` are the two kinds of limited keys and, to show that there is something to hide, the generator's own."""

    world: World
    keys: dict[str, Api]
    hidden_ids: set[str]
    hidden_stack_id: str

    def heard(self, caller: str, operation: str) -> Any:
        method, path = operation.split()
        path = self.world.fill(PATHS.get(operation, path))
        return self.keys[caller].request(method, f"{path}{'&' if '?' in path else '?'}count=true&agents=true")

    def leaks(self, answer: Any) -> list[str]:
        """What the answer tells of what is hidden."""
        text = f"{answer.content.decode()} {dict(answer.headers)}"
        return [word for word in (HIDDEN, *sorted(self.hidden_ids)) if word in text]


def make_sight() -> Sight:
    """A generator with two stacks that have rollouts, agents and conflicting objects; one is within the limits."""
    generator, owner = make_generator()
    both, _ = make_agent(name="both", active=True)
    mine, hidden = (_scene(name, generator) for name in ("shown", HIDDEN))
    for scene in (mine, hidden):
        make_target(both, scene.stack)
    make_registration(both, generator)
    template = make_template(generator, name=HIDDEN)
    freeze = begin_freeze(
        scope=Freeze.Scope.LABEL, label=HIDDEN, reason=HIDDEN, actor=ADMIN, now=timezone.now()
    )
    rollouts = {scene.stack.pk: scene.start(_manifest(scene.stack.name, "2")) for scene in (mine, hidden)}
    unread = rollouts[hidden.stack.pk].version
    UnreadVersion.objects.create(version=unread, problem=HIDDEN)
    newest = rollouts[mine.stack.pk].version
    limits = {
        "stacks": Limits(stack_ids=frozenset({mine.stack.pk})),
        "labels": Limits(labels=frozenset({"shown"})),
    }
    limited = {
        name: Api(issue_generator_pak(generator=generator, actor=SYSTEM, limits=given)[1])
        for name, given in limits.items()
    }
    hidden_ids = [hidden.stack.pk, unread.id, hidden.first.id, rollouts[hidden.stack.pk].pk]
    hidden_ids += [template.pk, freeze.pk, *(agent.pk for agent in hidden.agents)]
    ids = {
        "generator_id": generator.pk,
        "stack_id": mine.stack.pk,
        "rolled_out_stack_id": mine.stack.pk,
        "object_id": newest.id,
        "rollout_id": rollouts[mine.stack.pk].pk,
        "agent_id": both.pk,
    }
    return Sight(
        World(ids={name: str(pk) for name, pk in ids.items()}),
        {"owner": owner, **limited},
        {str(pk) for pk in hidden_ids},
        str(hidden.stack.pk),
    )


def _scene(name: str, generator: Generator) -> Scene:
    stack = make_stack(generator, name=name, labels=[name])
    agents = [make_agent(name=f"{name}-{number}", active=True, labels=[name])[0] for number in range(2)]
    for agent in agents:
        make_registration(agent, generator)
    first = make_object(stack, _manifest(name, "1"))
    give_strategy(stack, make_strategy())
    return Scene(stack, agents, first)


def _manifest(name: str, tag: str) -> str:
    return deployment("web", image=f"registry.example/{name}:{tag}")


@pytest.fixture(scope="module")
def sight(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Sight]:
    with shared_rows(django_db_blocker, make_sight) as made:
        yield made


@pytest.mark.parametrize("caller", LIMITED)
def test_no_answer_tells_of_a_stack_beyond_the_limits(sight, caller, subtests):
    for operation in GETS:
        with subtests.test(operation):
            assert sight.leaks(sight.heard(caller, operation)) == []


@pytest.mark.parametrize(
    "operation",
    [
        "GET /stacks",
        "GET /agents",
        "GET /generators/{generator_id}/registered-agents",
        "GET /resources",
        "GET /resources/unread-versions",
        "GET /rollouts",
        "GET /freezes",
        "GET /templates",
        "GET /stacks/{stack_id}/conflicts",
        "GET /agents/{agent_id}/explain",
    ],
)
def test_these_answers_would_tell_of_it(sight, operation):
    assert sight.leaks(sight.heard("owner", operation)) != []


@pytest.mark.parametrize("caller", LIMITED)
def test_counts_are_of_what_the_key_reaches(sight, caller):
    counts = {
        operation: sight.heard(caller, operation).headers["X-Total-Count"]
        for operation in ("GET /stacks", "GET /agents", "GET /resources", "GET /rollouts")
    }
    # Two agents with the label, and the one that serves both stacks. Of two versions one is with the canary alone.
    assert counts == {"GET /stacks": "1", "GET /agents": "3", "GET /resources": "2", "GET /rollouts": "1"}
    assert sight.heard(caller, "GET /resources").json()["unread_versions"] == 0


@pytest.mark.parametrize("caller", LIMITED)
def test_a_search_for_what_is_beyond_the_limits_finds_nothing(sight, caller):
    key = sight.keys[caller]
    for path in (
        f"/stacks?name={HIDDEN}",
        f"/stacks?label={HIDDEN}",
        f"/agents?label={HIDDEN}",
        f"/resources?versions=all&image=registry.example/{HIDDEN}:*",
        f"/rollouts?stack_id={sight.hidden_stack_id}",
    ):
        answer = key.get(path).json()
        assert (answer["resources"] if isinstance(answer, dict) else answer) == [], path


@pytest.mark.parametrize("caller", LIMITED)
def test_plans_and_warnings_say_of_a_stack_beyond_the_limits_only_that_it_is_another(sight, caller):
    path = sight.world.fill("/stacks/{stack_id}/deployment-objects")
    body = {"yaml_content": _manifest("shown", "3")}
    with transaction.atomic():
        published = sight.keys[caller].post(path, body)
        transaction.set_rollback(True)
    plan = sight.keys[caller].post("/plans", {"method": "POST", "path": path, "body": body})
    for answer, status in ((published, 201), (plan, 200)):
        assert answer.status_code == status, answer.content
        assert "another stack" in answer.content.decode()
        assert sight.leaks(answer) == []
