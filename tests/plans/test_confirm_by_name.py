"""Above BROKKR_CONFIRM_BY_NAME_PERCENT the admin asks for the name and a reason, whichever write takes stacks away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from agents.models import Agent
from agents.wanted.ties import serving_agents
from audit.models import AuditLog
from plans.event_kinds import PlanEventKind
from stacks.models import Stack
from tests.factories import (
    make_agent,
    make_generator,
    make_object,
    make_registration,
    make_stack,
    make_target,
)
from tests.support.admin import AdminPages, form_fields, plan_on

pytestmark = pytest.mark.django_db


@dataclass
class _Fleet:
    """One agent that serves one stack of a generator, by the given tie alone."""

    stack: Stack
    agent: Agent

    @classmethod
    def tied_by(cls, tie: str) -> "_Fleet":
        generator, _ = make_generator(name="shop-owner")
        labels = ["prod"] if tie == "label" else []
        annotations = {"tier": "core"} if tie == "annotation" else {}
        stack = make_stack(generator, name="shop", labels=labels, annotations=annotations)
        agent, _ = make_agent(name="edge", active=True, labels=labels, annotations=annotations)
        make_registration(agent, generator)
        make_object(stack)
        if tie == "target":
            make_target(agent, stack)
        return cls(stack, agent)


Write = tuple[str, dict[str, Any]]


def binned(operator: AdminPages, path: str, prefix: str) -> Write:
    return path, form_fields(operator.get(path, edit=1)) | {f"{prefix}-0-DELETE": "on"}


def of_stack(fleet: _Fleet) -> str:
    return f"stacks/stack/{fleet.stack.pk}/change/"


def of_agent(fleet: _Fleet) -> str:
    return f"agents/agent/{fleet.agent.pk}/change/"


def ticked(fleet: _Fleet) -> Write:
    fields = {ACTION_CHECKBOX_NAME: [str(fleet.agent.pk)], "action": "remove_label_selected", "word": "prod"}
    return "agents/agent/", fields


# By the write: what ties the agent to the stack, the request, and the name that must be typed.
WRITES: dict[str, tuple[str, Callable[[AdminPages, _Fleet], Write], str]] = {
    "a label of a stack": ("label", lambda admin, fleet: binned(admin, of_stack(fleet), "labels"), "shop"),
    "an annotation of a stack": (
        "annotation",
        lambda admin, fleet: binned(admin, of_stack(fleet), "annotations"),
        "shop",
    ),
    "a label of an agent": ("label", lambda admin, fleet: binned(admin, of_agent(fleet), "labels"), "edge"),
    "an annotation of an agent": (
        "annotation",
        lambda admin, fleet: binned(admin, of_agent(fleet), "annotations"),
        "edge",
    ),
    "a target": ("target", lambda admin, fleet: binned(admin, of_agent(fleet), "targets"), "edge"),
    "ticked rows": ("label", lambda _, fleet: ticked(fleet), "edge"),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_takes_the_stack_from_everybody_needs_the_name_and_a_reason(operator, settings, write):
    settings.CONFIRM_BY_NAME_PERCENT = 10
    tie, sent, named = WRITES[write]
    fleet = _Fleet.tied_by(tie)
    path, fields = sent(operator, fleet)
    # Said at once, and without having seen the plan.
    hasty = operator.post_once(path, fields | {"confirmed": "yes", "typed": named, "plan_reason": "closed"})
    plan = plan_on(hasty)
    assert plan is not None
    assert (plan.is_wide, plan.phrase.startswith(named)) == (True, True)
    name = plan.phrase
    confirmed = fields | {"confirmed": "yes", "plan": plan.digest}
    for typed, reason in (("", "closed"), (name, ""), ("another", "closed")):
        operator.post_once(path, confirmed | {"typed": typed, "plan_reason": reason})
        assert serving_agents(fleet.stack).exists()
    operator.post_once(path, confirmed | {"typed": name, "plan_reason": "closed"})
    assert not serving_agents(fleet.stack).exists()
    assert AuditLog.objects.get(action=PlanEventKind.PLAN_CONFIRMED).reason == "closed"
