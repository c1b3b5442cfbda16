"""Since when an object has been healthy without a break."""

from datetime import timedelta

import pytest
from django.conf import settings

from tests.factories import make_agent, make_health, make_object, make_stack

pytestmark = pytest.mark.django_db

STALE = timedelta(seconds=settings.HEALTH_STALE_SECONDS)


@pytest.fixture
def say(now):
    agent, _ = make_agent()
    obj = make_object(make_stack())
    return lambda status, after: make_health(agent, obj, status, now=now + after)


def test_it_begins_with_the_first_word(say, now):
    assert say("healthy", timedelta(0)).since == now


def test_a_repetition_changes_nothing(say, now):
    say("healthy", timedelta(0))
    assert say("healthy", STALE).since == now


@pytest.mark.parametrize("other", ["degraded", "failing", "unknown"])
def test_another_status_begins_anew(say, now, other):
    say(other, timedelta(0))
    later = timedelta(seconds=10)
    assert say("healthy", later).since == now + later


def test_a_gap_that_is_too_long_begins_anew(say, now):
    say("healthy", timedelta(0))
    gap = STALE + timedelta(seconds=1)
    assert say("healthy", gap).since == now + gap
