"""The past of health: one row when a status begins, none when it is repeated."""

from datetime import timedelta

import pytest

from health.models import HealthChange
from health.services import delete_old_changes
from tests.factories import make_agent, make_health, make_object, make_stack

pytestmark = pytest.mark.django_db


def changes(agent) -> list[tuple[str, object]]:
    return list(HealthChange.objects.filter(agent_id=agent.pk).order_by("at").values_list("status", "at"))


def test_a_row_is_written_when_a_status_begins_and_none_when_it_is_repeated(now):
    agent, obj = make_agent()[0], make_object(make_stack())
    for minute, status in enumerate(["healthy", "healthy", "failing", "failing", "healthy"]):
        make_health(agent, obj, status, now=now + timedelta(minutes=minute))
    later = [now + timedelta(minutes=minute) for minute in (0, 2, 4)]
    assert changes(agent) == list(zip(["healthy", "failing", "healthy"], later, strict=True))


def test_a_status_that_became_stale_begins_anew(now, settings):
    settings.HEALTH_STALE_SECONDS = 60
    agent, obj = make_agent()[0], make_object(make_stack())
    make_health(agent, obj, now=now)
    make_health(agent, obj, now=now + timedelta(minutes=2))
    assert changes(agent) == [("healthy", now), ("healthy", now + timedelta(minutes=2))]


def test_a_repeat_costs_no_statement_more_than_without_a_history(now, django_assert_num_queries):
    agent, obj = make_agent()[0], make_object(make_stack())
    make_health(agent, obj, now=now)
    # As without a history.
    with django_assert_num_queries(7) as captured:
        make_health(agent, obj, now=now + timedelta(seconds=1))
    assert not [query for query in captured if "deployment_health_history" in query["sql"]]


def test_the_retention_of_the_history_ends_it(now, settings):
    settings.HISTORY_RETENTION_DAYS = 10
    agent, obj = make_agent()[0], make_object(make_stack())
    make_health(agent, obj, now=now - timedelta(days=11))
    make_health(agent, obj, "failing", now=now - timedelta(days=9))
    assert delete_old_changes(now=now) == 1
    assert [status for status, _ in changes(agent)] == ["failing"]
