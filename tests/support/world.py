"""One row of each kind and one caller of each kind, for tests of all routes."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import MarkerDelivery
from audit.services import request_verification, seal_new_entries
from core.events import SYSTEM
from generators.models import Generator
from paks.models import Role
from paks.services import issue_pak, revoke_pak
from rollouts.models import Freeze, RolloutCheck, RolloutStrategy
from rollouts.services.control import abort, pause, report_check
from rollouts.services.freezes import begin_freeze
from stacks.services import delete_stack, lock_stack
from tests.factories import (
    MANIFEST,
    make_agent,
    make_claimed_diagnostic,
    make_claimed_work_order,
    make_delivery,
    make_diagnostic,
    make_event,
    make_generator,
    make_held_delivery,
    make_log_entry,
    make_object,
    make_rendered,
    make_stack,
    make_target,
    make_template,
    make_webhook,
    make_work_order,
)
from tests.support.api import Api
from tests.support.rollouts import ADMIN, make_scene, make_strategy, wave
from workorders.services.targeting import Targeting


@dataclass
class World:
    """`ids` has the values for the braces of a route; `callers` has an API client for each kind of caller."""

    ids: dict[str, str] = field(default_factory=dict)
    callers: dict[str, Api] = field(default_factory=dict)

    def fill(self, value: Any) -> Any:
        """`value` with each `{name}` in its strings replaced by the id."""
        if isinstance(value, str):
            for name, identifier in self.ids.items():
                value = value.replace("{" + name + "}", identifier)
            return value
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value


def make_world() -> World:
    """A generator with two stacks: `stack` shares a label with the associated agent, `given_stack` is an explicit
    target of the agent that the routes name, which has reported on `object` and is owed the removal
    of a deleted stack, `marker_id`. `object` came from `template`, which is
    the generator's and fits `stack` as `system_template` does. Of three work orders for that agent it may claim one,
    holds one and has finished one; of two diagnostics for it one is pending and one is claimed. It holds a delivery of
    a webhook for agents with its label; another webhook has one that the broker is to send. Of the generator's rollouts
    one has proven its first wave and waits for approval, one is paused, and one is aborted and still holds its version.
    A freeze holds that covers nothing. The audit log is sealed up to here, and a verification of it waits.
    """
    world = World()
    generator, owner = make_generator()
    _, other_generator = make_generator()
    stack = make_stack(generator, labels=["shared"], annotations={"tier": "web"})
    given_stack = make_stack(generator)
    template = make_template(generator, content=MANIFEST, labels=["shared"], annotations={"tier": "web"})
    system_template = make_template(labels=["shared"], annotations={"tier": "web"})
    obj = make_rendered(stack, template, {"name": "web"})
    agent, agent_itself = make_agent(name="edge-01", labels=["mine"], annotations={"tier": "db"})
    _, associated_agent = make_agent(labels=["shared"])
    _, other_agent = make_agent(labels=["other"])
    make_target(agent, given_stack)
    event = make_event(agent, obj)
    webhook = make_webhook()
    _, admin_key = issue_pak(role=Role.ADMIN, subject_id=None, name="admin", actor=SYSTEM)
    lost_stack = make_stack(generator)
    make_target(agent, lost_stack)
    make_event(agent, make_object(lost_stack))
    with transaction.atomic():
        delete_stack(stack=lock_stack(lost_stack.id), actor=SYSTEM)
    world.ids = {
        "marker_id": str(MarkerDelivery.objects.get(agent=agent).marker.id),
        "generator_id": str(generator.id),
        "stack_id": str(stack.id),
        "given_stack_id": str(given_stack.id),
        "object_id": str(obj.id),
        "template_id": str(template.id),
        "system_template_id": str(system_template.id),
        "agent_id": str(agent.id),
        "event_id": str(event.id),
        "work_order_id": str(make_work_order(targeting=Targeting([agent.id])).id),
        "claimed_order_id": str(make_claimed_work_order(agent).id),
        "finished_order_id": str(make_log_entry(agent).id),
        "diagnostic_id": str(make_diagnostic(agent, obj).id),
        "claimed_diagnostic_id": str(make_claimed_diagnostic(agent, obj).id),
        "webhook_id": str(webhook.id),
        "delivery_id": str(make_delivery(webhook).id),
        "held_delivery_id": str(make_held_delivery(agent, ["mine"]).id),
        "verification_id": str(request_verification(expected_hash="", actor=ADMIN, now=timezone.now()).pk),
        **_rollouts(generator),
    }
    seal_new_entries(now=timezone.now())
    world.callers = {
        "anonymous": Api(None),
        "admin": Api(admin_key),
        "owner": owner,
        "stranger": other_generator,
        "itself": agent_itself,
        "associated": associated_agent,
        "other": other_agent,
        "revoked": Api(_revoked_key(generator)),
    }
    return world


def _rollouts(generator: Generator) -> dict[str, str]:
    waves = (wave("canary", count=1, checks=("smoke-test",)), wave("rest", needs_approval=True))
    waiting = make_scene(*waves, generator=generator)
    rollout = waiting.start()
    report_check(
        rollout_id=rollout.pk,
        wave=1,
        name="smoke-test",
        verdict=RolloutCheck.Verdict.PASSED,
        note="",
        actor=ADMIN,
        now=waiting.now,
    )
    waiting.prove(rollout)
    paused, aborted = (make_scene(generator=generator).start() for _ in range(2))
    pause(rollout_id=paused.pk, reason="lunch", actor=ADMIN, now=timezone.now())
    abort(rollout_id=aborted.pk, reason="wrong", actor=ADMIN, now=timezone.now())
    freeze = begin_freeze(
        scope=Freeze.Scope.LABEL, label="of-nobody", reason="a test", actor=ADMIN, now=timezone.now()
    )
    return {
        "strategy_id": str(RolloutStrategy.objects.get(name=make_strategy().name).pk),
        "rolled_out_stack_id": str(waiting.stack.pk),
        "rollout_id": str(rollout.pk),
        "paused_rollout_id": str(paused.pk),
        "held_object_id": str(aborted.version.id),
        "freeze_id": str(freeze.pk),
    }


def _revoked_key(generator: Generator) -> str:
    # A key of the owner, because the owner has the most rights after an admin.
    pak, key = issue_pak(role=Role.GENERATOR, subject_id=generator.id, name="old", actor=SYSTEM)
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    return key
