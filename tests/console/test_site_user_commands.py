"""manage.py createsuperuser and changepassword: Django's own, and audited."""

import getpass

import pytest
from django.contrib.auth.models import User

from audit.models import AuditLog
from tests.support.commands import audited, manage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("people of the admin, their groups and their logins"),
]

PASSWORD = "correct horse battery"
WHO = ("--noinput", "--username", "astrid", "--email", "astrid@example.com")


@pytest.fixture
def typing(monkeypatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda *_args, **_kwargs: PASSWORD)


def test_a_superuser_made_by_command_is_audited_without_the_password(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    assert manage("createsuperuser", *WHO).code == 0
    assert User.objects.get().check_password(PASSWORD)
    assert audited("site_user.created", "createsuperuser").details == {
        "username": "astrid",
        "groups": [],
        "is_active": True,
        "is_superuser": True,
        "via": "cli",
    }


def test_one_who_is_asked_for_a_password_is_audited_too(typing, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert manage("createsuperuser", *WHO[1:]).code == 0
    assert audited("site_user.created", "createsuperuser").details["username"] == "astrid"


def test_a_refused_command_is_not_audited():
    User.objects.create_user("astrid")
    assert manage("createsuperuser", *WHO).code == 1
    assert not AuditLog.objects.exists()


def test_a_superuser_who_cannot_be_audited_is_not_made(monkeypatch):
    def fail(**_: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr("console.commands.note_user_created", fail)
    with pytest.raises(RuntimeError):
        manage("createsuperuser", *WHO)
    assert not User.objects.exists()


def test_a_password_set_by_command_is_audited_without_it(typing):
    User.objects.create_user("astrid")
    assert manage("changepassword", "astrid").code == 0
    assert User.objects.get().check_password(PASSWORD)
    assert audited("site_user.password_changed", "changepassword").details == {
        "username": "astrid",
        "via": "cli",
    }


def test_after_a_command_users_are_saved_without_it(typing):
    manage("createsuperuser", *WHO)
    User.objects.create_user("bjorn")
    assert AuditLog.objects.count() == 1
