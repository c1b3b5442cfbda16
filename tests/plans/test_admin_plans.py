"""The admin shows the plan before it changes what agents get, and does what was shown."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection

from agents.models import Agent
from audit.models import AuditLog
from plans import dry_runs
from plans.event_kinds import PlanEventKind
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target, manifest
from tests.support.admin import errors_of, form_fields, messages_of, plan_on
from tests.support.rollouts import CANARY_AND_REST, make_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def served(settings):
    settings.CONFIRM_BY_NAME_PERCENT = 100
    stack, (agent, _) = make_stack(name="shop", labels=["prod"]), make_agent(name="edge", labels=["prod"])
    return stack, agent, make_object(stack, manifest("old"))


def trashed(operator, path, prefix="labels-0-DELETE"):
    """The form at the path, sent with the bin of its first label."""
    return form_fields(operator.get(path, edit=1)) | {prefix: "on"}


def confirmed(response):
    return dict(response.context["sent"]) | {"plan": response.context["plan"].digest}


@pytest.mark.parametrize("side", ["stack", "agent"])
def test_taking_a_label_off_shows_who_loses_what_first(operator, served, side):
    stack, agent, _ = served
    row = stack if side == "stack" else agent
    path = f"{side}s/{side}/{row.pk}/change/"
    asked = operator.post_once(path, trashed(operator, path))
    page = asked.content.decode()
    assert "1 of them loses a stack" in page
    assert "edge (inactive, applies nothing)" in page
    assert row.labels.exists()
    done = operator.post_once(path, confirmed(asked))
    assert messages_of(done)
    assert not row.labels.exists()


def test_a_target_is_added_only_when_its_plan_was_confirmed(operator, served):
    stack, _, _ = served
    agent, _ = make_agent()
    path = f"agents/agent/{agent.pk}/change/"
    fields = form_fields(operator.get(path, edit=1)) | {
        "targets-TOTAL_FORMS": "1",
        "targets-0-stack": str(stack.pk),
    }
    asked = operator.post_once(path, fields)
    assert "1 gains it" in asked.content.decode()
    assert not agent.targets.exists()
    operator.post_once(path, confirmed(asked))
    assert agent.targets.exists()


def test_what_changes_nothing_for_agents_is_not_asked_about(operator, served):
    stack, _, _ = served
    path = f"stacks/stack/{stack.pk}/change/"
    response = operator.post_once(path, form_fields(operator.get(path, edit=1)) | {"name": "store"})
    assert plan_on(response) is None
    stack.refresh_from_db()
    assert stack.name == "store"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are given up on SQLite only")
@pytest.mark.parametrize("what", ["a deletion", "a label"])
def test_a_change_whose_plan_takes_too_long_is_said_to_be_unknown_and_made_when_the_name_is_typed(
    operator, served, monkeypatch, what
):
    monkeypatch.setattr(dry_runs, "_SQLITE_SECONDS", -1)
    monkeypatch.setattr(dry_runs, "_SQLITE_STEPS", 1)
    stack, _, _ = served
    path = f"stacks/stack/{stack.pk}/change/"
    if what == "a label":
        asked = operator.post_once(path, trashed(operator, path))
        fields = confirmed(asked)
    else:
        path = f"stacks/stack/{stack.pk}/delete/"
        asked = operator.get(path)
        fields = {"post": "yes", "plan": asked.context["plan"].digest}
    assert "it is not known which agents gain, change or lose a stack" in asked.content.decode()
    for missing in ({"plan_reason": "not used"}, {"typed": stack.name}):
        operator.post_once(path, fields | missing)
    stack.refresh_from_db()
    assert (stack.deleted_at, stack.labels.exists()) == (None, True)
    operator.post_once(path, fields | {"plan_reason": "not used", "typed": stack.name})
    stack.refresh_from_db()
    assert stack.deleted_at is not None if what == "a deletion" else not stack.labels.exists()


def test_a_plan_that_is_out_of_date_changes_nothing(operator, served):
    stack, _, _ = served
    path = f"stacks/stack/{stack.pk}/change/"
    asked = operator.post_once(path, trashed(operator, path))
    make_agent(labels=["prod"])
    again = operator.post_once(path, confirmed(asked))
    assert any("ask for a new plan" in error for error in errors_of(again))
    assert stack.labels.exists()


def test_a_large_loss_asks_for_the_name_and_a_reason(operator, served, settings):
    settings.CONFIRM_BY_NAME_PERCENT = 10
    stack, _, _ = served
    path = f"stacks/stack/{stack.pk}/change/"
    fields = confirmed(operator.post_once(path, trashed(operator, path)))
    for typed, reason in [("shop", ""), ("store", "it is closed")]:
        again = operator.post_once(path, fields | {"typed": typed, "plan_reason": reason})
        assert any("Nothing is changed" in error for error in errors_of(again))
    assert stack.labels.exists()
    operator.post_once(path, fields | {"typed": "shop", "plan_reason": "it is closed"})
    assert not stack.labels.exists()
    row = AuditLog.objects.get(action=PlanEventKind.PLAN_CONFIRMED)
    assert (row.resource_id, row.details["reason"]) == (stack.pk, "it is closed")


def test_publishing_shows_the_plan_and_then_publishes(operator, served):
    stack, _, old = served
    path = f"stacks/stack/{stack.pk}/publish/"
    fields = {"manifest": manifest("new"), "base": old.pk}
    asked = operator.post_once(path, fields)
    assert "1 gets another version" in asked.content.decode()
    assert stack.deployment_objects.count() == 1
    operator.post_once(path, fields | {"plan": asked.context["plan"].digest})
    assert stack.deployment_objects.count() == 2


def test_rolling_back_shows_the_plan_first(operator, served):
    stack, _, old = served
    make_object(stack, manifest("new"))
    path = f"stacks/deploymentobject/{old.pk}/roll-back/"
    asked = operator.post_once(path, {"reason": "broken"})
    assert asked.context["plan"] is not None
    assert stack.deployment_objects.count() == 2
    operator.post_once(path, {"reason": "broken", "plan": asked.context["plan"].digest})
    assert stack.deployment_objects.count() == 3


@pytest.mark.parametrize("what", ["stacks/stack", "generators/generator", "agents/agent"])
def test_a_deletion_shows_its_plan(operator, served, what):
    stack, agent, _ = served
    make_target(make_agent(name="other")[0], stack)
    row = {"stacks/stack": stack, "generators/generator": stack.generator, "agents/agent": agent}[what]
    path = f"{what}/{row.pk}/delete/"
    asked = operator.get(path)
    lost = 1 if what == "agents/agent" else 2
    assert ("1 agent is deleted" if lost == 1 else "2 lose it") in asked.content.decode()
    make_agent(labels=["prod"])
    fields = {"post": "yes", "typed": row.name, "plan_reason": "over"}
    operator.post_once(path, fields | {"plan": asked.context["plan"].digest})
    row.refresh_from_db()
    # One more agent has the stack than the page said; one agent's own deletion is not about others.
    assert (row.deleted_at is None) == (what != "agents/agent")
    operator.post_once(
        path, fields | {"plan": operator.get(path).context["plan"].digest} if lost > 1 else fields
    )
    row.refresh_from_db()
    assert row.deleted_at is not None


def test_several_rows_are_one_plan(operator, served):
    _, agent, _ = served
    other, _ = make_agent(name="other", labels=["prod"], active=True)
    chosen = {ACTION_CHECKBOX_NAME: [str(agent.pk), str(other.pk)]}
    asked = operator.post_once("agents/agent/", chosen | {"action": "activate_selected"})
    assert "Begin to apply what they should have: edge." in " ".join(asked.content.decode().split())
    plan = {"plan": asked.context["plan"].digest, "confirmed": "yes"}
    operator.post_once("agents/agent/", chosen | {"action": "activate_selected"} | plan)
    assert Agent.objects.working().count() == 2
    asked = operator.post_once("agents/agent/", chosen | {"action": "delete_selected"})
    assert "2 agents are deleted" in asked.content.decode()


def test_the_plan_of_deleting_an_agent_says_that_nothing_is_removed_in_its_cluster(operator, served):
    stack, agent, _ = served
    page = " ".join(operator.get(f"agents/agent/{agent.pk}/delete/").content.decode().split())
    assert "all that it has deployed stays in its cluster." in page
    assert f"Stacks that stay there: {stack.name}." in page
    for contradiction in ("loses", "removed</summary>", "will do it when heard again"):
        assert contradiction not in page.partition("data-plan")[2]


@pytest.mark.parametrize("button", ["approve", "skip", "roll_back"])
def test_buttons_of_a_rollout_show_their_plan(operator, button):
    canary, rest = CANARY_AND_REST
    waves = (canary, rest) if button == "roll_back" else (type(rest)("rest", needs_approval=True),)
    scene = make_scene(*waves)
    rollout = scene.start()
    asked = operator.get(f"rollouts/rollout/{rollout.pk}/{button}/")
    assert "What this does to the fleet" in asked.content.decode()
    rollout.refresh_from_db()
    assert rollout.state == scene.again(rollout).state


def test_a_registration_shows_what_the_agent_gains(operator, settings):
    settings.REQUIRE_REGISTRATION = True
    generator, _ = make_generator()
    make_object(make_stack(generator, labels=["prod"]))
    agent, _ = make_agent(labels=["prod"])
    fields = {"agent": str(agent.pk), "generator": str(generator.pk)}
    asked = operator.post_once("agents/registration/add/", fields)
    assert "1 gains it" in asked.content.decode()
    operator.post_once("agents/registration/add/", confirmed(asked))
    assert agent.registrations.filter(generator=generator).exists()
