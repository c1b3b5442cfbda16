"""Freezes in the admin: on top of every page, begun and lifted by a button."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from rollouts.models import Freeze
from tests.factories import make_generator, make_stack
from tests.support.admin import actions_by, errors_of, messages_of, staff
from tests.support.rollouts import make_past_freeze, make_scene

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

ADD = "rollouts/freeze/add/"
FLEET = {"scope": "fleet", "reason": "the holidays"}


def begin(operator, **values) -> Freeze:
    operator.post(ADD, FLEET | values)
    return Freeze.objects.get()


def test_a_freeze_is_begun_and_audited(operator):
    freeze = begin(operator)
    assert (freeze.scope, freeze.reason, freeze.created_by) == ("fleet", "the holidays", "astrid")
    assert actions_by(operator.user) == ["freeze.started"]


def test_a_freeze_of_a_generator_or_a_label_names_it(operator):
    generator, _ = make_generator("payments")
    operator.post(ADD, FLEET | {"scope": "generator", "generator": str(generator.pk)})
    operator.post(ADD, FLEET | {"scope": "label", "label": "prod"})
    page = operator.get("").content.decode()
    assert "Frozen: the stacks of payments." in page
    assert "Frozen: the stacks of agents labelled prod." in page


@pytest.mark.parametrize(
    "values",
    [
        {"reason": ""},
        {"scope": "generator"},
        {"scope": "label"},
        {"scope": "label", "label": "two words"},
        {"until": "2020-01-01T00:00"},
    ],
)
def test_a_freeze_that_lacks_something_is_an_error_of_the_form(operator, values):
    assert errors_of(operator.post(ADD, FLEET | values))
    assert not Freeze.objects.exists()


@pytest.mark.parametrize(
    "path", ["", "agents/agent/", "stacks/stack/add/", "audit/auditlog/", "deployments/", "password_change/"]
)
def test_a_freeze_is_on_top_of_every_page_with_who_why_and_until_when(operator, path):
    until = timezone.now() + timedelta(days=2)
    begin(operator, until=f"{until:%Y-%m-%d}T12:30")
    page = operator.get(path).content.decode()
    for words in (
        "Frozen: the whole fleet.",
        "the holidays",
        "By astrid",
        f"until {until:%Y-%m-%d} 12:30 UTC",
    ):
        assert words in page


def test_the_end_is_chosen_in_the_browsers_own_control_like_every_moment(operator):
    (field,) = re.findall(r'<input[^>]* name="until"[^>]*>', operator.get(ADD).content.decode())
    assert 'type="datetime-local"' in field


def test_it_is_on_the_pages_of_rows_and_on_questions_too(operator):
    begin(operator)
    stack = make_stack()
    rollout_page = f"stacks/stack/{stack.pk}/rollouts/"
    for path in (f"stacks/stack/{stack.pk}/change/", rollout_page, f"stacks/stack/{stack.pk}/delete/"):
        assert "Frozen: the whole fleet." in operator.get(path).content.decode()


def test_whoever_may_see_any_page_sees_it_and_only_who_may_lift_it_gets_the_link(operator):
    freeze = begin(operator)
    link = f"rollouts/freeze/{freeze.pk}/lift/"
    page = staff("stacks.view_stack", name="ylva").get("stacks/stack/").content.decode()
    assert ("Frozen" in page, link in page) == (True, False)
    lifter = staff("stacks.view_stack", "rollouts.change_freeze", name="bjorn")
    assert link in lifter.get("stacks/stack/").content.decode()


def test_without_a_freeze_no_page_speaks_of_one(operator):
    make_past_freeze(make_generator()[0])
    assert "Frozen" not in operator.get("stacks/stack/").content.decode()


def test_a_freeze_is_lifted_and_what_waited_starts(operator):
    freeze = begin(operator)
    scene = make_scene()
    version = scene.publish("a: 2")
    assert version.rollouts.get().state == "frozen"
    operator.post(f"rollouts/freeze/{freeze.pk}/lift/", {"confirmed": "yes"})
    assert version.rollouts.get().state == "progressing"
    assert "freeze.lifted" in actions_by(operator.user)


def test_a_freeze_that_is_over_is_not_lifted_again(operator):
    freeze = make_past_freeze(make_generator()[0])
    page = operator.post(f"rollouts/freeze/{freeze.pk}/lift/", {"confirmed": "yes"})
    assert messages_of(page) == ["There is no such freeze."]


def test_the_list_tells_those_that_hold_from_those_that_are_over(operator):
    make_past_freeze(make_generator()[0])
    begun = FLEET | {"reason": "now"}
    operator.post(ADD, begun)
    assert [
        row.reason for row in operator.get("rollouts/freeze/", state="holding").context["cl"].result_list
    ] == ["now"]
    assert [
        row.reason for row in operator.get("rollouts/freeze/", state="over").context["cl"].result_list
    ] == ["a holiday"]


def test_a_roll_back_that_a_freeze_refuses_is_a_message(operator):
    scene = make_scene()
    rollout = scene.start()
    begin(operator)
    page = operator.post(
        f"rollouts/rollout/{rollout.pk}/roll_back/", {"confirmed": "yes", "reason": "it crashes"}
    )
    assert messages_of(page) == ["A freeze holds: what agents should have stays as it is."]
