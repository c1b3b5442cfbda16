"""What viewers, operators and admins may do, for every model there is."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User

from console.groups import GROUPS, sync_groups
from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.support.admin import AdminPages

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("people of the admin, their groups and their logins"),
]

OUR_APPS = {"generators", "stacks", "agents", "templates_app", "workorders", "audit"}
SUPPORTING = {"admin", "auth", "axes", "contenttypes", "core", "sessions", "paks"}


def member_of(group: str) -> AdminPages:
    user = User.objects.create_user(f"a-{group}", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return AdminPages(user)


def permissions_of(group: str) -> set[str]:
    rows = Permission.objects.filter(group__name=group)
    return {f"{app}.{name}" for app, name in rows.values_list("content_type__app_label", "codename")}


def test_the_groups_are_there_after_migrate():
    assert set(GROUPS) <= set(Group.objects.values_list("name", flat=True))


def test_every_model_is_seen_by_viewers_or_left_out_on_purpose():
    viewer = permissions_of("viewer")
    for model in apps.get_models():
        label, name = model._meta.app_label, model._meta.model_name
        # A model without permissions is nobody's to see.
        is_seen = label not in SUPPORTING and bool(model._meta.default_permissions)
        assert (f"{label}.view_{name}" in viewer) == is_seen, (label, name)


def test_a_viewer_has_nothing_but_looking():
    assert {name.split(".")[1].split("_")[0] for name in permissions_of("viewer")} == {"view"}


def test_operators_have_all_verbs_on_what_viewers_see_and_no_keys_people_or_secrets():
    operator = permissions_of("operator")
    assert permissions_of("viewer") < operator
    assert "stacks.add_stack" in operator
    assert "workorders.delete_workorder" in operator
    assert not {name for name in operator if name.startswith(("paks.", "auth."))}
    assert "stacks.reveal_secrets" not in operator


def test_admins_also_have_keys_people_and_secrets():
    admin = permissions_of("admin")
    assert permissions_of("operator") < admin
    assert {"paks.add_pak", "paks.change_pak", "auth.add_user", "auth.change_group"} <= admin
    assert "stacks.reveal_secrets" in admin
    assert "auth.add_permission" not in admin


def test_operators_drive_rollouts_and_only_admins_pass_strategies_by():
    operator, admin = permissions_of("operator"), permissions_of("admin")
    assert {"rollouts.change_rollout", "rollouts.approve", "rollouts.add_freeze"} <= operator
    assert "rollouts.bypass" in admin - operator


def test_the_next_migrate_puts_a_group_right_again():
    before = permissions_of("viewer")
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.set(Permission.objects.filter(codename="add_pak"))
    sync_groups()
    assert permissions_of("viewer") == before


@pytest.mark.parametrize("path", ["agents/agent/", "stacks/stack/", "audit/auditlog/"])
def test_every_group_sees_what_is_distributed(path):
    make_object(make_stack())
    make_agent()
    assert [member_of(group).get(path).status_code for group in GROUPS] == [200, 200, 200]


@pytest.mark.parametrize("path", ["paks/pak/", "auth/user/", "auth/group/"])
def test_only_admins_see_keys_and_people(path):
    assert [member_of(group).get(path).status_code for group in GROUPS] == [403, 403, 200]


@pytest.mark.parametrize("path", ["agents/agent/add/", "generators/generator/add/", "paks/pak/add/"])
def test_only_admins_make_what_answers_with_a_key(path):
    assert [member_of(group).get(path).status_code for group in GROUPS] == [403, 403, 200]


def test_only_admins_rotate_keys():
    agent, _ = make_agent()
    generator, _ = make_generator()
    members = [member_of(group) for group in GROUPS]
    for path in (f"agents/agent/{agent.pk}/rotate_key/", f"generators/generator/{generator.pk}/rotate_key/"):
        assert [member.get(path).status_code for member in members] == [403, 403, 200]


def test_operators_activate_and_viewers_do_not():
    agent, _ = make_agent()
    path = f"agents/agent/{agent.pk}/activate/"
    assert member_of("viewer").post(path, {"confirmed": "yes"}).status_code == 403
    assert member_of("operator").post(path, {"confirmed": "yes"}).status_code == 200
    agent.refresh_from_db()
    assert agent.status == "ACTIVE"
