"""One row of each kind and one caller of each kind, for tests of all routes."""

from dataclasses import dataclass, field
from typing import Any

from core.events import SYSTEM
from generators.models import Generator
from paks.models import Role
from paks.services import issue_pak, revoke_pak
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
    make_rendered,
    make_stack,
    make_target,
    make_template,
    make_webhook,
    make_work_order,
)
from tests.support.api import Api
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
    """Make a world.

    A generator has two stacks. `stack` shares a label with the associated agent; `given_stack` is an explicit target of
    the agent in the routes, which has reported on `object`. `object` was rendered from `template`, which belongs to the
    generator and fits `stack`, as `system_template` does. There are three work orders for that agent: it may claim one,
    has claimed one and has finished one. There are two diagnostics for it: one is pending and one is claimed. It has
    taken a delivery of a webhook for agents with its label; another webhook has a delivery that the broker has to send.
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
    world.ids = {
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
    }
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


def _revoked_key(generator: Generator) -> str:
    # A key of the owner, because the owner has the most rights after an admin.
    pak, key = issue_pak(role=Role.GENERATOR, subject_id=generator.id, name="old", actor=SYSTEM)
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    return key
