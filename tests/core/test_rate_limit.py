"""Each key has a bucket of tokens, when the broker is set up with a limit."""

import time

import pytest

from core.errors import RateLimited
from core.models import RateBucket
from core.rates import take_token
from core.services import forget_full_buckets
from tests.factories import make_agent, make_generator
from tests.support.api import refused
from tests.support.threads import call, together

pytestmark = pytest.mark.django_db

# A token an hour: none comes back while a test runs.
_SLOW = 3600


@pytest.fixture
def two_tokens(monkeypatch, settings) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1 / _SLOW
    settings.RATE_LIMIT_BURST = 2


def test_there_is_no_limit_by_default(admin):
    for _ in range(3):
        assert admin.get("/stacks").status_code == 200
    assert RateBucket.objects.count() == 0


@pytest.mark.usefixtures("two_tokens")
def test_what_is_more_than_the_burst_is_429_with_the_seconds_to_wait(admin):
    assert [admin.get("/stacks").status_code for _ in range(2)] == [200, 200]
    response = admin.get("/stacks")
    body = refused(response, 429, "rate_limited")
    assert int(response.headers["Retry-After"]) == body["details"]["retry_after_seconds"]
    assert _SLOW - 300 < int(response.headers["Retry-After"]) <= _SLOW + 1


@pytest.mark.usefixtures("two_tokens")
def test_each_key_has_its_own_bucket(admin):
    _, generator = make_generator()
    for _ in range(3):
        spent = admin.get("/stacks")
    assert spent.status_code == 429
    assert generator.get("/stacks").status_code == 200


@pytest.mark.usefixtures("two_tokens")
def test_refused_requests_count_too(admin):
    refused(admin.get("/stacks/x"), 400, "invalid_path")
    refused(admin.put("/stacks", {}), 405, "method_not_allowed")
    refused(admin.get("/stacks"), 429, "rate_limited")


@pytest.mark.usefixtures("two_tokens")
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "target-state"), ("POST", "heartbeat"), ("GET", "work-orders/pending")],
)
def test_the_calls_of_agents_have_no_way_around_it(method, path):
    agent, api = make_agent()
    heard = [api.request(method, f"/agents/{agent.id}/{path}") for _ in range(3)]
    assert [answer.status_code < 300 for answer in heard] == [True, True, False]
    refused(heard[-1], 429, "rate_limited")


@pytest.mark.usefixtures("two_tokens")
def test_without_a_good_key_there_is_no_bucket(anonymous):
    for _ in range(3):
        refused(anonymous.get("/stacks"), 401, "unauthorized")
    assert RateBucket.objects.count() == 0


def test_tokens_come_back_at_the_rate_and_only_up_to_the_burst(admin, settings):
    settings.RATE_LIMIT_PER_SECOND, settings.RATE_LIMIT_BURST = 2, 3
    key, now = make_agent()[0].id, 1_000_000.0
    for _ in range(3):
        take_token(key, now=now)
    with pytest.raises(RateLimited) as refusal:
        take_token(key, now=now)
    assert refusal.value.details == {"retry_after_seconds": 1}
    take_token(key, now=now + 0.5)
    with pytest.raises(RateLimited):
        take_token(key, now=now + 0.5)
    for _ in range(3):
        take_token(key, now=now + 100)
    with pytest.raises(RateLimited):
        take_token(key, now=now + 100)


def test_full_buckets_are_forgotten(admin, settings):
    settings.RATE_LIMIT_PER_SECOND, settings.RATE_LIMIT_BURST = 1, 10
    old, young = make_agent()[0].id, make_agent()[0].id
    take_token(old, now=time.time() - 3600)
    take_token(young, now=time.time() + 60)
    assert forget_full_buckets() == 1
    assert list(RateBucket.objects.values_list("key", flat=True)) == [young]


@pytest.mark.requires_postgres
@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_get_no_token_more_than_there_are(settings):
    settings.RATE_LIMIT_PER_SECOND, settings.RATE_LIMIT_BURST = 1 / _SLOW, 5
    _, generator = make_generator()
    heard = together(*(call(generator, "GET", "/stacks") for _ in range(12)))
    assert sorted(answer.status_code for answer in heard) == [200] * 5 + [429] * 7
