"""Rows of the log say what a field was before and after, and why."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from audit.models import AuditLog
from core.events import SYSTEM
from stacks.services import roll_back
from tests.factories import make_agent, make_generator, make_object, make_stack, make_target, make_webhook
from tests.support.admin import AdminPages
from tests.support.api import Api

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what services say of their changes")]


def said(action: str) -> tuple[Any, Any]:
    row = AuditLog.objects.filter(action=action).order_by("-sequence")[0]
    return row.before, row.after


def test_a_removed_label_and_a_removed_annotation_are_there_with_their_values(admin: Api):
    stack = make_stack()
    admin.post(f"/stacks/{stack.id}/labels", "prod")
    assert said("stack.label_added") == (None, {"label": "prod"})
    admin.delete(f"/stacks/{stack.id}/labels/prod")
    assert said("stack.label_removed") == ({"label": "prod"}, None)
    admin.post(f"/stacks/{stack.id}/annotations", {"key": "tier", "value": "web"})
    assert said("stack.annotation_added") == (None, {"key": "tier", "value": "web"})
    admin.delete(f"/stacks/{stack.id}/annotations/tier")
    assert said("stack.annotation_removed") == ({"key": "tier", "value": "web"}, None)


def test_a_changed_field_is_there_with_both_values_and_others_are_not(admin: Api):
    stack = make_stack(name="shop")
    admin.put(f"/stacks/{stack.id}", {"name": "shop", "description": "sells"})
    assert said("stack.updated") == ({"description": None}, {"description": "sells"})
    agent, _ = make_agent()
    admin.put(f"/agents/{agent.id}", {"status": "ACTIVE"})
    assert said("agent.updated") == ({"status": "INACTIVE"}, {"status": "ACTIVE"})
    generator, _ = make_generator(name="ci")
    admin.put(f"/generators/{generator.id}", {"name": "ci2"})
    assert said("generator.updated") == ({"name": "ci"}, {"name": "ci2"})


def test_what_is_gone_is_there_as_it_was(admin: Api):
    stack = make_stack(name="shop")
    admin.delete(f"/stacks/{stack.id}")
    before, after = said("stack.deleted")
    assert (before["name"], after) == ("shop", None)
    agent, _ = make_agent(name="edge")
    make_target(agent, other := make_stack(name="bar"))
    admin.delete(f"/agents/{agent.id}/targets/{other.id}")
    assert said("agent.target_removed") == ({"stack_id": str(other.id), "stack": "bar"}, None)
    admin.delete(f"/agents/{agent.id}")
    assert said("agent.deleted")[0]["name"] == "edge"


def test_keys_and_secrets_are_digests_that_tell_only_whether_they_are_the_same(admin: Api):
    generator, _ = make_generator()
    key = admin.post(f"/generators/{generator.id}/rotate-pak").json()["pak"]
    before, after = said("pak.rotated")
    (old,), (new,) = before["keys"], after["keys"]
    assert old["key"] != new["key"]
    assert {word[:7] for word in (old["key"], new["key"])} == {"digest:"}
    assert key not in str((before, after))
    webhook = make_webhook(url="https://hooks.example/t0ken")
    admin.put(f"/webhooks/{webhook.id}", {"url": "https://hooks.example/t0ken2", "max_retries": 1})
    before, after = said("webhook.updated")
    assert set(before) == set(after) == {"url", "max_retries"}
    assert "t0ken" not in str((before, after))


def test_a_reason_that_an_operator_gives_is_there(admin: Api):
    stack = make_stack()
    first = make_object(stack)
    make_object(stack)
    roll_back(stack_id=stack.id, to=first, reason="it crashed", actor=SYSTEM)
    assert AuditLog.objects.filter(action="deployment.created", reason="it crashed").count() == 1
    freeze = admin.post("/freezes", {"scope": "fleet", "reason": "holidays"}).json()
    assert AuditLog.objects.get(action="freeze.started").reason == "holidays"
    admin.delete(f"/freezes/{freeze['id']}")
    assert AuditLog.objects.get(action="freeze.lifted").reason == ""


def test_rights_of_users_and_groups_are_there(operator: AdminPages):
    group = Group.objects.create(name="night")
    operator.post_form(
        "auth/user/add/", username="bjorn", password1="a long word 9", password2="a long word 9"
    )
    assert said("site_user.created")[1]["username"] == "bjorn"
    user = operator.user._meta.default_manager.get(username="bjorn")
    operator.post_form(f"auth/user/{user.pk}/change/", groups=[group.pk])
    before, after = said("site_user.updated")
    assert (before, after) == ({"groups": []}, {"groups": ["night"]})


def test_a_row_shows_the_difference_and_the_reason(operator: AdminPages, admin: Api):
    stack = make_stack(name="<shop>")
    admin.put(f"/stacks/{stack.id}", {"name": "bar"})
    row = AuditLog.objects.get(action="stack.updated")
    AuditLog.objects.filter(pk=row.pk).update(reason="a better name")
    page = operator.get(f"audit/auditlog/{row.pk}/change/").content.decode()
    assert "&lt;shop&gt;" in page
    assert "a better name" in page
    assert '<th scope="row">name</th>' in page
