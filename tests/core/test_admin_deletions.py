"""Deletions in the admin: why is asked each time and audited, and what agents would lose was seen before."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from audit.models import AuditLog
from core.admin.actions import SAY_WHY
from rollouts.models import RolloutStrategy
from stacks.models import Stack
from tests.factories import make_agent, make_generator, make_object, make_stack, make_template, make_webhook
from tests.support.admin import AdminPages, messages_of
from tests.support.rollouts import make_strategy

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what pages of the admin ask")]

MAKERS = {
    "agents/agent": lambda: make_agent()[0],
    "generators/generator": lambda: make_generator()[0],
    "stacks/stack": make_stack,
    "templates_app/stacktemplate": make_template,
    "webhooks/subscription": make_webhook,
    "rollouts/rolloutstrategy": lambda: RolloutStrategy.objects.get(name=make_strategy().name),
    "auth/user": lambda: User.objects.create_user("someone"),
    "auth/group": lambda: Group.objects.create(name="some"),
}
WITH_LISTS = sorted(MAKERS.keys() - {"auth/user", "auth/group"})


def is_there(row: Any) -> bool:
    rows = type(row)._default_manager.filter(pk=row.pk)
    return bool((rows.filter(deleted_at=None) if hasattr(row, "deleted_at") else rows).count())


def reasons() -> set[str]:
    return set(AuditLog.objects.filter(action__endswith=".deleted").values_list("reason", flat=True))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
@pytest.mark.parametrize("path", MAKERS)
def test_nothing_is_deleted_without_a_reason(operator: AdminPages, path: str, reason: str):
    row = MAKERS[path]()
    response = operator.post_once(f"{path}/{row.pk}/delete/", {"post": "yes", "reason": reason})
    assert SAY_WHY in messages_of(response)
    assert 'name="reason"' in response.content.decode()
    assert is_there(row)


@pytest.mark.parametrize("path", MAKERS)
def test_the_reason_is_in_the_audit_log(operator: AdminPages, path: str):
    row = MAKERS[path]()
    # Of agents there is only this one, so the name is asked for.
    typed = getattr(row, "name", "")
    operator.post(
        f"{path}/{row.pk}/delete/", {"post": "yes", "reason": "the cluster is gone", "typed": typed}
    )
    assert not is_there(row)
    assert reasons() == {"the cluster is gone"}


@pytest.mark.parametrize("path", WITH_LISTS)
def test_rows_of_a_list_are_deleted_for_a_reason_too(operator: AdminPages, path: str):
    rows = [MAKERS[path](), MAKERS[path]()]
    chosen = {"action": "delete_selected", "_selected_action": [str(row.pk) for row in rows], "post": "yes"}
    asked = operator.post_once(f"{path}/", {**chosen, "reason": ""})
    assert SAY_WHY in messages_of(asked)
    assert asked.content.decode().count('name="_selected_action"') == len(rows)
    assert all(map(is_there, rows))
    operator.post(f"{path}/", {**chosen, "reason": "all of them", "typed": "delete 2 agents"})
    assert not any(map(is_there, rows))
    assert reasons() == {"all of them"}


@pytest.fixture
def served() -> Stack:
    """A stack that an agent would lose."""
    make_agent(active=True, labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    return stack


def test_what_agents_would_lose_is_shown_to_whoever_has_not_seen_it(
    operator: AdminPages, served: Stack, settings: Any
):
    settings.CONFIRM_BY_NAME_PERCENT = 100
    fields = {"post": "yes", "reason": "no longer used"}
    response = operator.post_once(f"stacks/stack/{served.pk}/delete/", fields)
    assert response.context["plan"] is not None
    assert is_there(served)
    chosen = {"action": "delete_selected", "_selected_action": [str(served.pk)]}
    response = operator.post_once("stacks/stack/", fields | chosen)
    assert response.context["plan"] is not None
    assert is_there(served)
    operator.post("stacks/stack/", fields | chosen)
    assert not is_there(served)
