"""When the broker itself fails: one error body, and no word about its insides."""

import logging

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client

from core.middleware import RequestMiddleware
from generators.api import views
from tests.factories import make_agent, make_generator, make_object, make_stack
from tests.support.api import Api, refused

pytestmark = pytest.mark.django_db
SECRET = "the-password-in-the-message"


class Bug(Exception):
    """An exception that nobody foresaw."""


def failing(error: Exception):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


def test_an_unforeseen_exception_is_500_with_the_request_id_and_no_internals(admin, monkeypatch, caplog):
    monkeypatch.setattr(views, "create_generator", failing(Bug(SECRET)))
    response = admin.post("/generators", {"name": "a"}, headers={"X-Request-Id": "find-me"})
    body = refused(response, 500, "internal_error")
    assert body["details"] == {"request_id": "find-me"}
    for word in (SECRET, "Bug", "Traceback", ".py"):
        assert word not in response.content.decode()
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "find-me" in record.getMessage()
    assert record.exc_info


@pytest.mark.parametrize("error", [OperationalError(SECRET), InterfaceError(SECRET)])
def test_a_database_that_is_gone_is_503_with_the_time_to_wait(admin, monkeypatch, error):
    monkeypatch.setattr(views, "create_generator", failing(error))
    response = admin.post("/generators", {"name": "a"})
    refused(response, 503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert SECRET not in response.content.decode()


def test_a_database_that_is_gone_while_the_key_is_checked_is_503_and_not_401(admin, monkeypatch):
    monkeypatch.setattr("paks.api.authentication.principal_for", failing(OperationalError(SECRET)))
    response = admin.get("/stacks")
    refused(response, 503, "database_unavailable")
    assert "Retry-After" in response.headers


def test_a_database_that_is_gone_never_shows_an_empty_target_state(monkeypatch):
    agent, api = make_agent(labels=["a"])
    make_object(make_stack(labels=["a"]))
    # The short way, and the long one that every other request for it takes.
    monkeypatch.setattr("lane.calls.poll", failing(OperationalError(SECRET)))
    refused(api.get(f"/agents/{agent.id}/target-state"), 503, "database_unavailable")
    monkeypatch.setattr("agents.api.views.agents.state_of", failing(OperationalError(SECRET)))
    refused(api.get(f"/agents/{agent.id}/target-state?mode=full&x=1"), 503, "database_unavailable")


class _Failing:
    """Middleware that fails before any view."""

    error: Exception = Bug(SECRET)

    def __init__(self, get_response: object) -> None:
        pass

    def __call__(self, _request: object) -> object:
        raise self.error


@pytest.fixture
def middleware_fails(settings, monkeypatch):
    def fail(error: Exception) -> Client:
        monkeypatch.setattr(_Failing, "error", error)
        settings.MIDDLEWARE = [
            f"{RequestMiddleware.__module__}.{RequestMiddleware.__name__}",
            f"{__name__}._Failing",
        ]
        return Client(raise_request_exception=False)

    return fail


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Bug(SECRET), 500, "internal_error"),
        (OperationalError(SECRET), 503, "database_unavailable"),
        (SuspiciousOperation(SECRET), 400, "bad_request"),
    ],
    ids=["bug", "database", "suspicious"],
)
def test_middleware_that_fails_answers_in_the_same_shape(middleware_fails, error, status, code):
    client = middleware_fails(error)
    response = client.get("/api/v1/stacks", headers={"X-Request-Id": "find-me"})
    refused(response, status, code)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"] == "find-me"
    assert SECRET not in response.content.decode()


def test_outside_the_api_a_missing_database_is_503_in_plain_text(middleware_fails):
    response = middleware_fails(OperationalError(SECRET)).get("/admin/")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "text/plain"
    assert SECRET not in response.content.decode()


def test_a_browser_gets_a_page_about_it_that_asks_the_database_nothing(
    middleware_fails, django_assert_num_queries
):
    client = middleware_fails(OperationalError(SECRET))
    with django_assert_num_queries(0):
        response = client.get("/admin/", headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    assert response.status_code == 503
    assert response.headers["Content-Type"].startswith("text/html")
    assert int(response.headers["Retry-After"]) > 0
    page = response.content.decode()
    assert "The broker cannot answer at present" in page
    assert SECRET not in page


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_who_takes_anything_gets_a_sentence(middleware_fails, accept):
    response = middleware_fails(OperationalError(SECRET)).get("/admin/", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "text/plain"


def test_outside_the_api_a_bug_is_a_page_that_names_the_request(middleware_fails):
    response = middleware_fails(Bug(SECRET)).get("/admin/", headers={"X-Request-Id": "find-me"})
    assert response.status_code == 500
    assert "<code>find-me</code>" in response.content.decode()
    assert SECRET not in response.content.decode()


def test_a_host_that_is_not_allowed_is_400_in_the_same_shape(settings, anonymous):
    settings.ALLOWED_HOSTS = ["broker.example"]
    response = anonymous.get("/stacks", headers={"Host": "evil.example"})
    refused(response, 400, "bad_request")
    assert response.headers["Content-Type"] == "application/json"
    assert anonymous.get("/stacks", headers={"Host": "broker.example"}).status_code == 401


def test_a_refusal_changes_nothing(admin):
    make_generator(name="taken")
    other, _ = make_generator(name="free")
    refused(
        admin.put(f"/generators/{other.id}", {"name": "taken", "description": "x"}), 409, "unique_violation"
    )
    other.refresh_from_db()
    assert (other.name, other.description) == ("free", None)


def test_every_answer_forbids_shared_caches(admin):
    assert admin.get("/stacks").headers["Cache-Control"] == "private, no-cache"
    assert admin.post("/generators", {"name": "a"}).headers["Cache-Control"] == "private, no-cache"
    assert admin.get("/nothing").headers["Cache-Control"] == "private, no-cache"
    assert Api(None).get("/stacks").headers["Cache-Control"] == "private, no-cache"
