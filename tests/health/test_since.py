"""Since when an object has been healthy without a break."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests.factories import make_agent, make_health, make_object, make_stack

pytestmark = pytest.mark.django_db

START = timezone.now()
STALE = timedelta(seconds=settings.HEALTH_STALE_SECONDS)


@pytest.fixture
def say():
    agent, _ = make_agent()
    obj = make_object(make_stack())
    return lambda status, after: make_health(agent, obj, status, now=START + after)


def test_it_begins_with_the_first_word(say):
    assert say("healthy", timedelta(0)).since == START


def test_a_repetition_changes_nothing(say):
    say("healthy", timedelta(0))
    assert say("healthy", STALE).since == START


@pytest.mark.parametrize("other", ["degraded", "failing", "unknown"])
def test_another_status_begins_anew(say, other):
    say(other, timedelta(0))
    later = timedelta(seconds=10)
    assert say("healthy", later).since == START + later


def test_a_gap_that_is_too_long_begins_anew(say):
    say("healthy", timedelta(0))
    gap = STALE + timedelta(seconds=1)
    assert say("healthy", gap).since == START + gap
