"""How a version reaches the agents, on the pages that publish, and the strategy on the page of a stack."""

import pytest
from django.utils import timezone

from agents.wanted.versions import newest_unheld
from rollouts.models import Freeze, Rollout, StackRolloutStrategy
from rollouts.services.freezes import begin_freeze
from rollouts.strategies import Wave
from stacks.models import DeploymentObject, Stack
from tests.factories import make_object, make_stack, manifest
from tests.support.admin import actions_by, staff
from tests.support.rollouts import ADMIN, give_strategy, make_strategy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

PUBLISHER = (
    "stacks.view_stack",
    "stacks.change_stack",
    "stacks.add_deploymentobject",
    "stacks.view_deploymentobject",
)


@pytest.fixture
def stack() -> Stack:
    """With one version and a strategy."""
    stack = make_stack()
    make_object(stack)
    give_strategy(stack, make_strategy(Wave("canary", count=1), Wave("rest")))
    return stack


def page_of(stack: Stack) -> str:
    return f"stacks/stack/{stack.pk}/publish/"


def publish(user, stack: Stack, **values: str):
    newest = stack.deployment_objects.newest_first().first()
    fields = {"manifest": manifest("new"), "base": str(newest.pk if newest else ""), "_publish": "yes"}
    return user.post(page_of(stack), fields | values)


def plan_on(page) -> str:
    return " ".join(page.context["delivery"].plan)


def strategy_of(stack: Stack) -> str:
    return StackRolloutStrategy.objects.get(stack=stack).strategy.name


def test_the_page_says_by_which_waves_the_version_goes(operator, stack):
    plan = plan_on(operator.get(page_of(stack)))
    assert f"Starts a rollout by {strategy_of(stack)}: canary (1 agent), then rest (whoever is left)." in plan


def test_a_stack_without_a_strategy_says_that_everybody_gets_it(operator):
    assert "every agent that serves it" in plan_on(operator.get(page_of(make_stack())))


def test_a_rollout_that_it_takes_the_place_of_is_named(operator, stack):
    publish(operator, stack)
    version = Rollout.objects.get().version_id
    assert f"It takes the place of the rollout of #{version}" in plan_on(operator.get(page_of(stack)))


def test_a_freeze_that_it_waits_for_is_named(operator, stack):
    operator.post("rollouts/freeze/add/", {"scope": "fleet", "reason": "the holidays"})
    assert Freeze.objects.exists()
    assert "But the whole fleet is frozen" in plan_on(operator.get(page_of(stack)))


def test_publishing_starts_a_rollout_by_the_stacks_strategy(operator, stack):
    publish(operator, stack)
    assert Rollout.objects.get().strategy_name == strategy_of(stack)


def test_with_the_right_and_a_reason_another_strategy_or_none_is_chosen(operator, stack):
    other = make_strategy(Wave("everybody"))
    publish(operator, stack, strategy=other.name, bypass_reason="urgent")
    assert Rollout.objects.get().strategy_name == other.name
    publish(operator, stack, strategy="none", bypass_reason="very urgent", manifest=manifest("newer"))
    assert Rollout.objects.count() == 1
    assert stack.deployment_objects.versions().count() == 3


def test_without_a_reason_nothing_is_published(operator, stack):
    page = publish(operator, stack, strategy="none")
    assert "Say why" in page.content.decode()
    assert DeploymentObject.objects.count() == 1


def test_who_lacks_the_right_is_not_asked_and_a_forged_choice_counts_for_nothing(stack):
    publisher = staff(*PUBLISHER)
    assert b'name="strategy"' not in publisher.get(page_of(stack)).content
    publish(publisher, stack, strategy="none", bypass_reason="I like it")
    assert Rollout.objects.get().strategy_name == strategy_of(stack)


def test_a_stack_without_a_strategy_may_have_one_this_once():
    stack, publisher = make_stack(), staff(*PUBLISHER)
    once = make_strategy()
    publish(publisher, stack, strategy=once.name)
    assert Rollout.objects.get().strategy_name == once.name
    assert not StackRolloutStrategy.objects.exists()


def test_rolling_back_to_an_older_version_goes_by_a_strategy_too(operator, stack):
    old = stack.deployment_objects.get()
    publish(operator, stack)
    path = f"stacks/deploymentobject/{old.pk}/roll-back/"
    assert "Starts a rollout by" in plan_on(operator.get(path))
    operator.post(path, {"reason": "it crashes"})
    assert Rollout.objects.order_by("-created_at").first().strategy_name == strategy_of(stack)
    operator.post(path, {"reason": "it crashes everywhere", "strategy": "none"})
    assert Rollout.objects.count() == 2
    assert stack.deployment_objects.versions().count() == 4


def rollouts_page(stack: Stack) -> str:
    return f"stacks/stack/{stack.pk}/rollouts/"


def test_a_first_strategy_needs_no_reason_and_no_right_to_bypass():
    stack, chosen = make_stack(), make_strategy()
    user = staff("stacks.view_stack", "stacks.change_stack", "rollouts.view_rollout")
    user.post(rollouts_page(stack), {"strategy": chosen.name})
    assert strategy_of(stack) == chosen.name
    assert actions_by(user.user)[-1] == "stack.strategy_set"


def test_another_strategy_or_none_needs_a_reason(operator, stack):
    other = make_strategy()
    assert "Say why" in operator.post(rollouts_page(stack), {"strategy": other.name}).content.decode()
    operator.post(rollouts_page(stack), {"strategy": other.name, "reason": "slower"})
    assert strategy_of(stack) == other.name
    operator.post(rollouts_page(stack), {"strategy": "", "reason": "a toy"})
    assert not StackRolloutStrategy.objects.exists()
    assert actions_by(operator.user)[-2:] == ["stack.strategy_set", "stack.strategy_removed"]


def test_who_may_not_bypass_changes_no_strategy(stack):
    user = staff("stacks.view_stack", "stacks.change_stack", "rollouts.view_rollout")
    before = strategy_of(stack)
    assert user.get(rollouts_page(stack)).context["form"] is None
    assert user.post(rollouts_page(stack), {"strategy": "", "reason": "a toy"}).status_code == 403
    assert strategy_of(stack) == before


def freeze_all() -> None:
    begin_freeze(scope=Freeze.Scope.FLEET, reason="the holidays", actor=ADMIN, now=timezone.now())


def test_with_the_right_and_a_reason_a_version_is_published_over_a_freeze(operator, stack):
    freeze_all()
    publish(operator, stack, strategy="none", over_freeze="on", bypass_reason="the certificate expires")
    assert newest_unheld(stack.pk) == stack.deployment_objects.newest_first().first()
    assert "freeze.overridden" in actions_by(operator.user)


def test_without_a_reason_nothing_is_published_over_a_freeze(operator):
    stack = make_stack()
    freeze_all()
    page = publish(operator, stack, over_freeze="on")
    assert "Say why the freeze is overridden." in page.content.decode()
    assert not stack.deployment_objects.exists()


def test_who_may_not_bypass_publishes_nothing_over_a_freeze():
    stack, publisher = make_stack(), staff(*PUBLISHER)
    freeze_all()
    assert b'name="over_freeze"' not in publisher.get(page_of(stack)).content
    publish(publisher, stack, over_freeze="on", bypass_reason="I like it")
    assert newest_unheld(stack.pk) is None
    assert stack.deployment_objects.exists()


def test_without_a_freeze_nothing_asks_whether_to_override_one(operator, stack):
    assert b'name="over_freeze"' not in operator.get(page_of(stack)).content
