"""Users and groups in the admin: what is audited, and who is above whom."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from audit.models import AuditLog
from tests.support.admin import AdminPages, actions_by, errors_of, form_fields, staff

pytestmark = pytest.mark.django_db

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
    logged_in = client.post("/admin/login/?next=/admin/", {"username": "bjorn", "password": PASSWORD})
    assert (logged_in.status_code, logged_in.headers["Location"]) == (302, "/admin/")
    assert actions_by(operator.user) == ["site_user.created"]
    assert newest().details == {"username": "bjorn", "groups": [], "is_active": True, "is_superuser": False}


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
