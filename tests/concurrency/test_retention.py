"""Several workers that delete the same old rows at once, on PostgreSQL."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import AgentEvent
from agents.services.events import delete_old_events
from tests.factories import make_agent, make_event, make_object, make_stack
from tests.support.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_postgres]


def test_workers_that_delete_the_same_events_count_each_once(monkeypatch):
    monkeypatch.setattr("core.retention.STEP", 3)
    agent, obj = make_agent()[0], make_object(make_stack())
    for number in range(20):
        make_event(agent, obj, message="x" * (number + 1))
    later = timezone.now() + timedelta(days=31)

    deleted = together(*[lambda: delete_old_events(now=later)] * 4)

    assert sum(deleted) == 20
    assert not AgentEvent.objects.exists()
