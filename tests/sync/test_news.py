"""Which changes wake the agents that wait."""

import pytest

from audit.models import AuditLog
from core.events import SYSTEM
from health.services import HealthReport, report_health
from sync.news import changes_since
from tests.factories import make_agent, make_object, make_stack, make_target, make_work_order

pytestmark = pytest.mark.django_db


def latest() -> int:
    return AuditLog.objects.latest("sequence").sequence


def test_a_version_a_target_and_an_order_are_news():
    agent, _ = make_agent()
    stack = make_stack()
    for change in (lambda: make_object(stack), lambda: make_target(agent, stack), make_work_order):
        before = latest()
        change()
        assert changes_since(before) == (latest(), latest())
        assert latest() > before


def test_health_is_no_news(now):
    agent, _ = make_agent()
    obj = make_object(make_stack())
    before = latest()
    report_health(agent_id=agent.id, reports=[HealthReport(obj.id, "failing", now)], actor=SYSTEM, now=now)
    assert changes_since(before) == (latest(), before)
    assert latest() > before


def test_nothing_is_nothing():
    make_agent()
    assert changes_since(latest()) == (latest(), latest())


def test_a_change_that_is_not_there_is_after_the_latest():
    make_agent()
    assert changes_since(latest() + 1000) == (latest(), latest() + 1000)


def test_a_log_without_changes_has_none():
    AuditLog.objects.all().delete()
    assert changes_since(0) == (0, 0)
