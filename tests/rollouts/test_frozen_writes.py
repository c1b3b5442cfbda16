"""What a freeze refuses of writes that would change who serves what, or delete something: 423 at every door."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent, Registration
from agents.wanted.ties import served_stacks
from core.labels.services import remove_label
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from rollouts.services.frozen_writes import overriding_freezes
from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_stack, make_target, unique
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


class Tied:
    """An agent under a freeze of its label that serves a stack by one tie only."""

    def __init__(self, tie: str):
        self.generator = make_generator()[0]
        self.stack = make_stack(
            self.generator,
            labels=["app"] if tie == "label" else [],
            annotations={"tier": "web"} if tie == "annotation" else {},
        )
        self.agent, _ = make_agent(labels=["app", "eu"], annotations={"tier": "web"})
        Registration.objects.get_or_create(agent=self.agent, generator=self.generator)
        if tie == "target":
            make_target(self.agent, self.stack)
        begin_freeze(scope=Scope.LABEL, label="eu", reason="x", actor=ADMIN, now=timezone.now())

    def still_serves(self):
        return served_stacks(self.agent.id).filter(pk=self.stack.pk).exists()


@pytest.mark.parametrize(
    ("tie", "path"),
    [
        ("label", "/agents/{agent}/labels/app"),
        ("label", "/stacks/{stack}/labels/app"),
        ("annotation", "/agents/{agent}/annotations/tier"),
        ("annotation", "/stacks/{stack}/annotations/tier"),
        ("target", "/agents/{agent}/targets/{stack}"),
    ],
)
def test_the_last_tie_of_an_agent_under_a_freeze_cannot_be_cut(admin, tie, path):
    tied = Tied(tie)
    refused(admin.delete(path.format(agent=tied.agent.id, stack=tied.stack.id)), 423, "frozen")
    assert tied.still_serves()


@pytest.mark.parametrize("tie", ["label", "annotation", "target"])
def test_a_registration_by_which_an_agent_under_a_freeze_serves_cannot_be_ended(admin, settings, tie):
    settings.REQUIRE_REGISTRATION = True
    tied = Tied(tie)
    body = {"agent_id": str(tied.agent.id)}
    refused(admin.delete(f"/generators/{tied.generator.id}/register", body), 423, "frozen")
    assert tied.still_serves()


def test_a_stack_cannot_move_from_the_registration_by_which_an_agent_under_a_freeze_serves(admin, settings):
    settings.REQUIRE_REGISTRATION = True
    tied = Tied("label")
    body = {"generator_id": str(make_generator()[0].id)}
    refused(admin.put(f"/stacks/{tied.stack.id}", body), 423, "frozen")
    assert tied.still_serves()


@pytest.mark.parametrize("tie", ["label", "annotation", "target"])
def test_an_agent_that_serves_a_frozen_stack_by_one_tie_cannot_be_deleted(admin, tie):
    tied = Tied(tie)
    begin_freeze(
        scope=Scope.GENERATOR, generator_id=tied.generator.id, reason="x", actor=ADMIN, now=timezone.now()
    )
    with overriding_freezes("the label goes first"):
        remove_label(owner=tied.agent, label="eu", actor=ADMIN)
    refused(admin.delete(f"/agents/{tied.agent.id}"), 423, "frozen")
    assert tied.still_serves()


def test_an_agent_cannot_be_made_with_a_label_by_which_it_serves_a_frozen_stack(admin):
    Tied("label")
    body = {"name": unique("agent"), "cluster_name": "a", "labels": ["app"]}
    refused(admin.post("/agents", body), 423, "frozen")
    assert not Agent.objects.filter(name=body["name"]).exists()


def test_words_that_give_an_agent_under_a_freeze_nothing_can_go(admin):
    tied = Tied("target")
    assert admin.delete(f"/agents/{tied.agent.id}/labels/app").status_code == 204
    assert admin.delete(f"/agents/{tied.agent.id}/annotations/tier").status_code == 204
