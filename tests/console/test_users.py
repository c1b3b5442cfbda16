"""Users and groups in the admin: what is audited, and who is above whom."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from audit.models import AuditLog
from tests.support.admin import AdminPages, actions_by, errors_of, form_fields, staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("people of the admin, their groups and their logins"),
]

PASSWORD = "correct horse battery"


def newest() -> AuditLog:
    return AuditLog.objects.order_by("-sequence")[0]


def manager() -> AdminPages:
    """One of the group `admin`, who is no superuser."""
    pages = staff(name="ylva")
    pages.user.groups.add(Group.objects.get(name="admin"))
    return pages


def test_a_new_user_can_log_in_and_is_audited(operator, client):
    operator.post("auth/user/add/", {"username": "bjorn", "password1": PASSWORD, "password2": PASSWORD})
    assert actions_by(operator.user) == ["site_user.created"]
    assert newest().details == {"username": "bjorn", "groups": [], "is_active": True, "is_superuser": False}
    logged_in = client.post("/admin/login/?next=/admin/", {"username": "bjorn", "password": PASSWORD})
    assert (logged_in.status_code, logged_in.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("password", ["short", "password1234", "bjornbjornbjorn"])
def test_weak_passwords_are_refused(operator, password):
    username = "bjornbjorn"
    page = operator.post(
        "auth/user/add/", {"username": username, "password1": password, "password2": password}
    )
    assert errors_of(page)
    assert not User.objects.filter(username=username).exists()


def test_a_group_given_to_a_user_is_audited(operator):
    user = User.objects.create_user("bjorn", is_staff=True)
    viewer = Group.objects.get(name="viewer")
    path = f"auth/user/{user.pk}/change/"
    operator.post(path, form_fields(operator.get(path)) | {"groups": [str(viewer.pk)]})
    assert list(user.groups.all()) == [viewer]
    assert newest().action == "site_user.updated"
    assert newest().details["groups"] == ["viewer"]
    assert newest().details["changed"] == ["Groups"]


def test_a_new_password_for_somebody_is_audited_without_it(operator):
    user = User.objects.create_user("bjorn", is_staff=True)
    operator.post(f"auth/user/{user.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert newest().action == "site_user.password_changed"
    assert newest().details == {"username": "bjorn"}


def test_a_new_password_of_ones_own_is_audited(operator):
    operator.user.set_password("the old one")
    operator.user.save()
    pages = AdminPages(operator.user)
    data = {"old_password": "the old one", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert pages.post("password_change/", data | {"old_password": "wrong"}).status_code == 200
    assert actions_by(operator.user) == []
    pages.post("password_change/", data)
    assert actions_by(operator.user) == ["site_user.password_changed"]


def test_deleting_a_user_is_audited(operator):
    user = User.objects.create_user("bjorn", is_staff=True)
    operator.post(f"auth/user/{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert (newest().action, newest().details) == ("site_user.deleted", {"username": "bjorn"})


def test_nobody_deletes_or_deactivates_himself(operator):
    path = f"auth/user/{operator.user.pk}/"
    assert operator.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    fields = form_fields(operator.get(f"{path}change/"))
    operator.post(f"{path}change/", {name: value for name, value in fields.items() if name != "is_active"})
    operator.user.refresh_from_db()
    assert operator.user.is_active


def test_only_a_superuser_makes_or_touches_superusers():
    pages, boss = manager(), User.objects.create_superuser("astrid")
    assert pages.get(f"auth/user/{boss.pk}/change/").status_code == 200
    assert pages.post(f"auth/user/{boss.pk}/change/", {"username": "x"}).status_code == 403
    assert pages.post(f"auth/user/{boss.pk}/password/", {"password1": PASSWORD}).status_code == 403
    assert pages.post(f"auth/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    other = User.objects.create_user("bjorn", is_staff=True)
    pages.post_form(f"auth/user/{other.pk}/change/", is_superuser="on", first_name="Björn")
    other.refresh_from_db()
    assert (other.is_superuser, other.first_name) == (False, "Björn")


def test_a_group_of_ones_own_is_made_changed_and_deleted_under_audit(operator):
    view, change = (
        Permission.objects.get(codename="view_stack"),
        Permission.objects.get(codename="change_stack"),
    )
    operator.post("auth/group/add/", {"name": "night shift", "permissions": [str(view.pk)]})
    group = Group.objects.get(name="night shift")
    assert newest().details == {"name": "night shift", "permissions": ["stacks.view_stack"]}
    data = {"name": "night shift", "permissions": [str(view.pk), str(change.pk)]}
    operator.post(f"auth/group/{group.pk}/change/", data)
    operator.post(f"auth/group/{group.pk}/delete/", {"post": "yes"})
    assert actions_by(operator.user) == ["site_group.created", "site_group.updated", "site_group.deleted"]


@pytest.mark.parametrize("name", ["viewer", "operator", "admin"])
def test_the_brokers_own_groups_are_read_only(operator, name):
    group = Group.objects.get(name=name)
    assert operator.get(f"auth/group/{group.pk}/change/").status_code == 200
    assert operator.post(f"auth/group/{group.pk}/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_group_of_ones_own_cannot_be_given_what_has_no_page(operator):
    hidden = Permission.objects.get(codename="delete_session")
    page = operator.post("auth/group/add/", {"name": "night shift", "permissions": [str(hidden.pk)]})
    assert errors_of(page)


PEOPLE = tuple(
    f"auth.{verb}_{noun}" for verb in ("view", "add", "change", "delete") for noun in ("user", "group")
)


def group_of(name: str, *permissions: str) -> Group:
    group = Group.objects.create(name=name)
    for permission in permissions:
        app, codename = permission.split(".")
        group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return group


@pytest.fixture
def keeper() -> AdminPages:
    """One who may do everything with people, see stacks, and nothing else."""
    pages = staff(name="ylva")
    pages.user.groups.add(group_of("keepers", *PEOPLE, "stacks.view_stack"))
    return pages


def member(*groups: Group, **fields: Any) -> User:
    user = User.objects.create_user("bjorn", is_staff=True, **fields)
    user.groups.set(groups)
    return user


def test_nobody_gives_himself_or_others_a_group_with_more_rights_than_he_has(keeper):
    other = member()
    for user in (keeper.user, other):
        before = set(user.groups.all())
        for name in ("admin", "operator", "viewer"):
            groups = [str(Group.objects.get(name=name).pk)]
            assert errors_of(keeper.post_form(f"auth/user/{user.pk}/change/", groups=groups)), name
        assert set(user.groups.all()) == before
    assert actions_by(keeper.user) == []


def test_a_group_that_may_no_more_than_oneself_can_be_given_and_taken(keeper):
    lookers, nobodies, other = group_of("lookers", "stacks.view_stack"), group_of("nobodies"), member()
    path = f"auth/user/{other.pk}/change/"
    keeper.post_form(path, groups=[str(lookers.pk), str(nobodies.pk)])
    assert set(other.groups.all()) == {lookers, nobodies}
    keeper.post_form(path, groups=[str(nobodies.pk)])
    assert set(other.groups.all()) == {nobodies}
    assert actions_by(keeper.user) == ["site_user.updated"] * 2


def test_what_the_form_does_not_offer_is_not_taken_from_it(keeper, operator):
    permission = Permission.objects.get(codename="add_pak")
    for pages in (keeper, operator):
        pages.post_form(
            f"auth/user/{pages.user.pk}/change/",
            is_superuser="on",
            user_permissions=[str(permission.pk)],
            first_name="Ylva",
        )
    keeper.user.refresh_from_db()
    assert (keeper.user.first_name, keeper.user.is_superuser) == ("Ylva", False)
    assert not Permission.objects.filter(user__in=[keeper.user, operator.user]).exists()


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("how", ["by a group", "by himself"])
def test_who_has_more_rights_is_not_touched(keeper, is_active, how):
    extra = group_of("labellers", "stacks.view_stack", "stacks.add_stacklabel")
    other = member(*([extra] if how == "by a group" else []), is_active=is_active)
    if how == "by himself":
        other.user_permissions.set(extra.permissions.all())
    path = f"auth/user/{other.pk}/"
    assert keeper.get(f"{path}change/").status_code == 200
    assert keeper.post(f"{path}change/", {"username": "x", "is_active": "on"}).status_code == 403
    new = {"password1": PASSWORD, "password2": PASSWORD}
    assert keeper.post(f"{path}password/", new).status_code == 403
    assert keeper.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    other.refresh_from_db()
    assert (other.username, other.is_active, other.check_password(PASSWORD)) == ("bjorn", is_active, False)


def test_who_has_no_more_rights_is_changed_gets_a_password_and_is_deleted(keeper):
    other = member(group_of("lookers", "stacks.view_stack"))
    path = f"auth/user/{other.pk}/"
    keeper.post_form(f"{path}change/", first_name="Björn")
    keeper.post(f"{path}password/", {"password1": PASSWORD, "password2": PASSWORD})
    other.refresh_from_db()
    assert (other.first_name, other.check_password(PASSWORD)) == ("Björn", True)
    assert [group.name for group in other.groups.all()] == ["lookers"]
    keeper.post(f"{path}delete/", {"post": "yes"})
    assert not User.objects.filter(pk=other.pk).exists()


def test_a_member_of_admin_gives_every_group_and_a_superuser_too(operator):
    other = member()
    for pages in (manager(), operator):
        for name in ("admin", "operator", "viewer"):
            group = Group.objects.get(name=name)
            pages.post_form(f"auth/user/{other.pk}/change/", groups=[str(group.pk)])
            assert list(other.groups.all()) == [group]
    operator.post_form(f"auth/user/{other.pk}/change/", is_superuser="on")
    other.refresh_from_db()
    assert other.is_superuser


def test_nobody_makes_a_group_of_rights_he_has_not(keeper):
    seen, unseen = (
        str(Permission.objects.get(content_type__app_label="stacks", codename=name).pk)
        for name in ("view_stack", "change_stack")
    )
    page = keeper.post("auth/group/add/", {"name": "night shift", "permissions": [seen, unseen]})
    assert errors_of(page)
    keeper.post("auth/group/add/", {"name": "night shift", "permissions": [seen]})
    group = Group.objects.get(name="night shift")
    path = f"auth/group/{group.pk}/change/"
    assert errors_of(keeper.post(path, {"name": "night shift", "permissions": [seen, unseen]}))
    assert [permission.codename for permission in group.permissions.all()] == ["view_stack"]
    keeper.post(path, {"name": "day shift"})
    group.refresh_from_db()
    assert (group.name, group.permissions.count()) == ("day shift", 0)


def test_a_group_with_more_rights_is_neither_changed_nor_deleted(keeper):
    group = group_of("labellers", "stacks.view_stack", "stacks.add_stacklabel")
    path = f"auth/group/{group.pk}/"
    assert keeper.get(f"{path}change/").status_code == 200
    assert keeper.post(f"{path}change/", {"name": "x"}).status_code == 403
    assert keeper.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    assert Group.objects.get(pk=group.pk).permissions.count() == 2
