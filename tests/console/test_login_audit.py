"""What the audit log says of logging in to the admin: every success, every lock-out, and no more."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from audit.models import AuditLog
from webhooks.event_types import EVENT_TYPES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("astrid"),
    pytest.mark.any_database("people of the admin, their groups and their logins"),
]

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def log_in(client: Client, password: str, username: str = "astrid"):
    return client.post("/admin/login/", {"username": username, "password": password})


def browser(address: str = HOME) -> Client:
    return Client(REMOTE_ADDR=address, headers={"User-Agent": "somebody's browser", "X-Request-Id": "r-1"})


def rows() -> list[AuditLog]:
    return list(AuditLog.objects.order_by("sequence"))


def test_a_login_and_a_logout_say_who_and_from_where():
    client = browser()
    log_in(client, "the right one")
    client.post("/admin/logout/")
    assert [row.action for row in rows()] == ["site_user.logged_in", "site_user.logged_out"]
    for row in rows():
        assert (row.actor_type, row.actor_label, row.resource_type) == ("admin", "astrid", "system")
        assert (row.ip_address, row.user_agent, row.request_id) == (HOME, "somebody's browser", "r-1")
        assert row.details == {"username": "astrid"}


def test_logging_out_once_more_is_nothing():
    client = browser()
    log_in(client, "the right one")
    assert client.get("/admin/logout/").status_code == 405
    for _ in range(2):
        client.post("/admin/logout/")
    assert [row.action for row in rows()] == ["site_user.logged_in", "site_user.logged_out"]


def test_looking_at_the_login_page_is_nothing():
    client = browser()
    client.get("/admin/login/")
    log_in(client, "the right one")
    assert client.get("/admin/login/").status_code == 302
    assert len(rows()) == 1


def test_a_user_who_may_not_enter_the_admin_has_not_logged_in():
    User.objects.create_user("bjorn", password="the right one", is_staff=False)
    assert log_in(browser(), "the right one", "bjorn").status_code == 200
    assert rows() == []


def test_a_single_failure_is_not_in_the_log_and_the_lock_out_is_there_once():
    for password in ("guess", "guess"):
        log_in(browser(), password)
    assert rows() == []
    for password in ("guess", "guess", "the right one", "guess"):
        log_in(browser(), password)
    (row,) = rows()
    assert (row.action, row.actor_type, row.actor_label) == ("site_user.locked_out", "system", "")
    assert (row.ip_address, row.user_agent, row.request_id) == (HOME, "somebody's browser", "r-1")
    assert row.details == {"failures": 3, "username": "astrid"}


def test_each_address_and_each_wait_has_a_lock_out_of_its_own():
    for address in (HOME, HOME, HOME, ELSEWHERE, ELSEWHERE, ELSEWHERE):
        log_in(browser(address), "guess")
    AccessAttempt.objects.update(
        attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    )
    for _ in range(4):
        log_in(browser(), "guess")
    assert [(row.action, row.ip_address) for row in rows()] == [
        ("site_user.locked_out", HOME),
        ("site_user.locked_out", ELSEWHERE),
        ("site_user.locked_out", HOME),
    ]


def test_what_was_typed_as_a_name_is_kept_only_where_it_is_one():
    for _ in range(3):
        log_in(browser(), "astrid", username="the right one")
    (row,) = rows()
    assert row.details == {"failures": 3, "username": None}


def test_a_login_that_cannot_be_audited_is_none(monkeypatch):
    def fail(**_: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr("console.site.note_login", fail)
    client = browser()
    client.raise_request_exception = False
    assert log_in(client, "the right one").status_code == 500
    assert client.get("/admin/").status_code == 302


def test_no_webhook_hears_of_logins():
    assert not [each for each in EVENT_TYPES if each.startswith("site_")]
