"""Logging in to the admin: locked out by address, for a while; sessions that end; cookies."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from console.services import forget_old_logins
from core.jobs import registered_jobs
from core.middleware import _warn_of_proxy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("astrid"),
    pytest.mark.any_database("people of the admin, their groups and their logins"),
]

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def log_in(password: str, address: str = HOME, username: str = "astrid", **headers: str):
    data = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/", data, headers=headers)


def error_of(response) -> str:
    (error,) = response.context["form"].non_field_errors()
    return str(error)


def test_the_right_password_opens_the_admin():
    response = log_in("the right one")
    assert response.status_code == 302
    assert response.headers["Location"] == "/admin/"


def test_the_page_says_what_to_do_about_a_lost_password():
    page = Client().get("/admin/login/").content.decode()
    assert "Lost your password?" in page
    assert "manage.py changepassword" in page


def test_a_wrong_password_says_so():
    assert "Please enter the correct username" in error_of(log_in("guess"))


def test_after_too_many_guesses_not_even_the_right_password_opens():
    for username in ("astrid", "bjorn", "ylva"):
        log_in("guess", username=username)
    refused = log_in("the right one")
    assert (
        error_of(refused)
        == "Too many failed attempts from your address. Try again 15 minutes after the last of them."
    )


def test_another_address_is_not_locked_out():
    for _ in range(4):
        log_in("guess")
    assert log_in("the right one", ELSEWHERE).status_code == 302


def test_the_lock_opens_by_itself_and_is_not_prolonged():
    for _ in range(3):
        log_in("guess")
    AccessAttempt.objects.update(
        attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    )
    assert log_in("the right one").status_code == 302


def test_a_success_forgets_the_failures_before_it():
    for _ in range(2):
        log_in("guess")
    log_in("the right one")
    for _ in range(2):
        log_in("guess")
    assert log_in("the right one").status_code == 302


def test_the_address_behind_our_own_proxy_is_the_one_that_counts(settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for _ in range(3):
        log_in("guess", **{"X-Forwarded-For": "198.51.100.7"})
    assert log_in("the right one", **{"X-Forwarded-For": "198.51.100.7"}).status_code == 200
    assert log_in("the right one", **{"X-Forwarded-For": "198.51.100.8"}).status_code == 302


def test_behind_a_proxy_that_no_setting_names_one_user_s_failures_lock_out_that_user_alone(caplog):
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    _warn_of_proxy.cache_clear()
    for _ in range(5):
        log_in("guess", username="bjorn", **forwarded)

    assert log_in("the right one", **forwarded).status_code == 302
    assert "Too many" in error_of(log_in("guess", username="bjorn", **forwarded))
    assert caplog.text.count("BROKKR_TRUSTED_PROXY_COUNT is 0") == 1


def test_guesses_do_not_keep_passwords():
    log_in("hunter2")
    stored = AccessAttempt.objects.get()
    assert "hunter2" not in "".join(str(value) for value in vars(stored).values())


def test_a_session_ends_when_the_setting_says(settings):
    settings.SESSION_COOKIE_AGE = 3600
    response = log_in("the right one")
    assert response.cookies["sessionid"]["max-age"] == 3600
    left = Session.objects.get().expire_date - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_the_session_cookie_is_for_this_site_over_tls_and_not_for_scripts(settings):
    settings.SESSION_COOKIE_SECURE = True
    cookie = log_in("the right one").cookies["sessionid"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


def test_what_logging_in_leaves_behind_is_removed_by_a_job():
    log_in("the right one")
    log_in("guess")
    assert forget_old_logins() == 0
    long_ago = timezone.now() - timedelta(days=1)
    Session.objects.update(expire_date=long_ago)
    AccessAttempt.objects.update(attempt_time=long_ago)
    assert forget_old_logins() == 2
    assert "console.jobs.forget_logins" in {job.name for job in registered_jobs()}
