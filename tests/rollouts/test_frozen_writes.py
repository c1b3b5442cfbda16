"""What a freeze refuses of writes that would change who serves what, or delete something: 423 at every door."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from rollouts.services.frozen_writes import overriding_freezes
from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_stack, make_target
from tests.support.api import refused
from tests.support.events import recorded_audit
from tests.support.rollouts import ADMIN

pytestmark = pytest.mark.django_db

Scope = Freeze.Scope


class World:
    """A stack with a label, an annotation and a target, all of one agent."""

    def __init__(self):
        self.generator, self.owner = make_generator()
        self.stack = make_stack(self.generator, labels=["app"], annotations={"tier": "web"})
        self.agent, _ = make_agent(labels=["app", "eu"], annotations={"tier": "web"})
        self.other, _ = make_agent()
        make_target(self.agent, self.stack)
        self.stack_path, self.agent_path = f"/stacks/{self.stack.id}", f"/agents/{self.agent.id}"

    def writes(self):
        """Each write that would change what an agent serves, or delete something."""
        other = f"/agents/{self.other.id}"
        return [
            ("POST", f"{self.stack_path}/labels", "new"),
            ("DELETE", f"{self.stack_path}/labels/app", ...),
            ("POST", f"{self.stack_path}/annotations", {"key": "a", "value": "b"}),
            ("DELETE", f"{self.stack_path}/annotations/tier", ...),
            ("DELETE", self.stack_path, ...),
            ("POST", f"{other}/labels", "app"),
            ("DELETE", f"{self.agent_path}/labels/app", ...),
            ("POST", f"{other}/annotations", {"key": "tier", "value": "web"}),
            ("DELETE", f"{self.agent_path}/annotations/tier", ...),
            ("POST", f"{other}/targets", {"agent_id": str(self.other.id), "stack_id": str(self.stack.id)}),
            ("DELETE", f"{self.agent_path}/targets/{self.stack.id}", ...),
            ("DELETE", self.agent_path, ...),
            ("DELETE", f"/generators/{self.generator.id}", ...),
            ("PUT", self.stack_path, {"generator_id": str(make_generator()[0].id)}),
        ]

    def freeze(self, scope):
        fields: dict[Freeze.Scope, dict[str, Any]] = {
            Scope.FLEET: {},
            Scope.GENERATOR: {"generator_id": self.generator.id},
            Scope.LABEL: {"label": "eu"},
        }
        return begin_freeze(
            scope=scope, reason="the big sale", actor=ADMIN, now=timezone.now(), **fields[scope]
        )


@pytest.fixture
def world(db):
    return World()


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("index", range(14))
def test_a_write_is_refused_and_names_the_freeze(admin, world, scope, index):
    method, path, body = world.writes()[index]
    freeze = world.freeze(scope)
    answer = refused(admin.request(method, path, body), 423, "frozen")
    assert answer["details"] == {"freeze_id": str(freeze.id), "scope": scope, "reason": "the big sale"}
    assert Stack.objects.active().filter(pk=world.stack.pk, generator=world.generator).exists()


@pytest.mark.parametrize("index", range(14))
def test_a_freeze_of_something_else_refuses_nothing(admin, world, index):
    method, path, body = world.writes()[index]
    other = make_generator()[0]
    known: dict[str, Any] = {"reason": "x", "actor": ADMIN, "now": timezone.now(), "until": None}
    begin_freeze(scope=Scope.GENERATOR, generator_id=other.id, **known)
    begin_freeze(scope=Scope.LABEL, label="us", **known)
    assert admin.request(method, path, body).status_code in {200, 201, 204}


def test_the_label_that_a_freeze_names_cannot_be_given_or_taken(admin, world):
    world.freeze(Scope.LABEL)
    refused(admin.post(f"/agents/{world.other.id}/labels", "eu"), 423, "frozen")
    refused(admin.delete(f"{world.agent_path}/labels/eu"), 423, "frozen")


def test_what_changes_nobody_is_allowed(admin, world):
    begin_freeze(scope=Scope.FLEET, reason="x", actor=ADMIN, now=timezone.now())
    assert admin.put(world.stack_path, {"description": "new"}).status_code == 200
    assert admin.post("/stacks", {"name": "new", "generator_id": str(world.generator.id)}).status_code == 201


def test_an_admin_does_it_all_the_same_with_a_reason(admin, world):
    freeze = world.freeze(Scope.FLEET)
    with recorded_audit() as rows, overriding_freezes("customers are down"):
        assert admin.delete(f"{world.stack_path}/labels/app").status_code == 204
    (row,) = [row for row in rows if row.action == "freeze.overridden"]
    assert row.resource_id == freeze.pk
    assert row.details["reason"] == "customers are down"


def test_nobody_else_overrides(world):
    world.freeze(Scope.FLEET)
    with overriding_freezes("please"):
        refused(world.owner.delete(f"{world.stack_path}/labels/app"), 423, "frozen")


def test_a_blank_reason_overrides_nothing(admin, world):
    world.freeze(Scope.FLEET)
    with overriding_freezes("  "):
        refused(admin.delete(f"{world.stack_path}/labels/app"), 423, "frozen")


def test_it_holds_until_it_is_lifted_although_its_time_is_over(admin, world):
    begin_freeze(
        scope=Scope.FLEET,
        reason="x",
        actor=ADMIN,
        now=timezone.now() - timedelta(hours=2),
        until=timezone.now() - timedelta(hours=1),
    )
    refused(admin.delete(f"{world.stack_path}/labels/app"), 423, "frozen")
