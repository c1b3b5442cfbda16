"""Plans while others write: nothing slips in between a plan and its write, and a plan is of one moment."""

import pytest
from django.db import transaction
from django.utils import timezone

from agents.models import Agent
from agents.wanted.ties import serving_agents
from core.advisory_locks import AdvisoryLock, lock_alone, lock_wanted_versions
from core.labels.services import add_label
from rollouts.models import Freeze
from rollouts.services.freezes import begin_freeze
from stacks.models import Stack
from stacks.services import delete_stack, lock_stack
from tests.factories import make_agent, make_object, make_stack, manifest
from tests.plans.asking import ask, told
from tests.support.rollouts import ADMIN
from tests.support.threads import Running, call, statuses, together, wait_until_blocked

pytestmark = [pytest.mark.requires_postgres, pytest.mark.django_db(transaction=True)]


def test_two_labels_that_meet_are_not_both_made_as_planned(admin):
    """A label on the stack and the same on the agent: neither plan has a pair, but together they make one."""
    stack, (agent, _) = make_stack(), make_agent()
    make_object(stack)
    writes = [
        ("POST", f"/{which}/labels", {"label": "prod"})
        for which in (f"stacks/{stack.id}", f"agents/{agent.id}")
    ]
    plans = [told(admin, *write) for write in writes]
    assert [plan["agents"] for plan in plans] == [[], []]

    def write(number):
        def run():
            headers = {"If-Plan": plans[number]["digest"]}
            return type(admin)(admin.key).request(*writes[number], headers=headers)

        return run

    answers = together(write(0), write(1))
    assert statuses(answers) == [201, 412]
    assert not serving_agents(stack).exists()


def test_a_planned_write_waits_for_a_write_under_way_and_sees_it(admin):
    stack, (agent, _) = make_stack(labels=["prod"]), make_agent()
    make_object(stack)
    path = f"/stacks/{stack.id}/labels/prod"
    digest = told(admin, "DELETE", path)["digest"]
    with transaction.atomic():
        add_label(owner=Agent.objects.get(pk=agent.pk), label="prod", actor=ADMIN)
        running = Running([lambda: type(admin)(admin.key).delete(path, headers={"If-Plan": digest})])
        wait_until_blocked(1)
    (answer,) = running.join()
    assert answer.status_code == 412


@pytest.mark.parametrize("what", ["label", "deletion"])
def test_a_freeze_begins_before_a_write_or_after_it(admin, what):
    """The write has been checked against freezes when the freeze wants to begin, so the freeze waits."""
    stack = make_stack()

    def freeze():
        return begin_freeze(scope=Freeze.Scope.FLEET, reason="a sale", actor=ADMIN, now=timezone.now())

    with transaction.atomic():
        if what == "label":
            add_label(owner=stack, label="prod", actor=ADMIN)
        else:
            delete_stack(stack=lock_stack(stack.pk), actor=ADMIN)
        running = Running([freeze])
        wait_until_blocked(1)
        assert not Freeze.objects.exists()
    running.join()
    assert Freeze.objects.holding().count() == 1


def test_a_plan_gives_up_soon_when_a_lock_is_held(admin):
    stack = make_stack()
    with transaction.atomic():
        lock_stack(stack.pk)
        running = Running([lambda: ask(type(admin)(admin.key), "DELETE", f"/stacks/{stack.id}")])
        (answer,) = running.join()
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_a_plan_among_writers_answers_and_writes_nothing(admin):
    stack = make_stack(labels=["prod"])
    make_agent(labels=["prod"])
    path = f"/stacks/{stack.id}/deployment-objects"

    def publish():
        bodies = [{"yaml_content": manifest(number)} for number in range(5)]
        return [type(admin)(admin.key).post(path, body) for body in bodies]

    def plan():
        return [
            ask(type(admin)(admin.key), "POST", path, {"yaml_content": manifest("plan")}) for _ in range(5)
        ]

    published, planned = together(publish, plan)
    assert statuses(published) == [201] * 5
    # It tries three times when somebody else has changed the stack, and then says that it is busy.
    assert set(statuses(planned)) <= {200, 503}
    assert Stack.objects.get(pk=stack.pk).deployment_objects.count() == 5


def test_whoever_shares_the_lock_may_share_it_again_while_others_wait_for_it():
    def alone():
        with transaction.atomic():
            lock_alone(AdvisoryLock.WANTED_VERSIONS)

    with transaction.atomic():
        lock_wanted_versions()
        running = Running([alone])
        wait_until_blocked(1)
        lock_wanted_versions()
    running.join()


def test_writes_without_a_plan_do_not_wait_for_each_other(admin):
    stack, other = make_stack(), make_stack()
    with transaction.atomic():
        add_label(owner=stack, label="prod", actor=ADMIN)
        (answer,) = Running([call(admin, "POST", f"/stacks/{other.id}/labels", "prod")]).join()
        assert answer.status_code == 201
