"""Which changes wake which of the agents that wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Max

from agents.services.targets import remove_target
from audit.models import AuditLog
from core.events import SYSTEM
from health.services import HealthReport, report_health
from stacks.services import delete_stack, lock_stack
from sync.news import News, news_since
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_diagnostic,
    make_event,
    make_object,
    make_stack,
    make_target,
    make_work_order,
)
from workorders.services.expiry import release_stale_claims

pytestmark = pytest.mark.django_db


def latest() -> int:
    return int(AuditLog.objects.aggregate(latest=Max("sequence", default=0))["latest"])


def news_of(change: Callable[[], Any]) -> News:
    """What is new by the change, which the log has."""
    before = latest()
    change()
    found = news_since(before)
    assert before < found.latest == latest()
    return found


class Served:
    """An agent, and a stack that it serves and has deployed."""

    def __init__(self) -> None:
        self.agent, _ = make_agent()
        self.stack = make_stack()
        make_target(self.agent, self.stack)
        self.version = make_object(self.stack)
        make_event(self.agent, self.version)

    @transaction.atomic
    def lose(self) -> None:
        remove_target(agent_id=self.agent.id, stack=lock_stack(self.stack.id), actor=SYSTEM)

    @transaction.atomic
    def delete(self) -> None:
        delete_stack(stack=lock_stack(self.stack.id), actor=SYSTEM)


@pytest.fixture
def served() -> Served:
    make_agent()
    return Served()


@pytest.mark.parametrize(
    "change",
    [
        lambda served: make_object(served.stack),
        lambda served: make_target(served.agent, make_stack()),
        Served.lose,
        Served.delete,
        lambda served: make_diagnostic(served.agent, served.version),
    ],
    ids=["version", "target", "lost target", "deleted stack", "diagnostic"],
)
def test_a_change_is_news_to_the_agents_whom_it_concerns(served, change):
    found = news_of(lambda: change(served))
    assert (found.for_all, set(found.for_agents)) == (0, {served.agent.id})


def test_an_order_is_news_to_everybody():
    assert news_of(make_work_order).for_all == latest()


def test_an_order_whose_claim_has_ended_is_news_to_everybody(served, now):
    make_claimed_work_order(served.agent, max_retries=3)
    assert news_of(lambda: release_stale_claims(now=now + timedelta(days=1))).for_all == latest()


def test_many_changes_at_once_are_news_to_everybody(monkeypatch, served):
    monkeypatch.setattr("sync.news._MOST_CHANGES", 1)
    assert news_of(lambda: make_object(served.stack)).for_all == latest()


def test_health_is_no_news(now, served):
    report = [HealthReport(served.version.id, "failing", now)]
    found = news_of(lambda: report_health(agent_id=served.agent.id, reports=report, actor=SYSTEM, now=now))
    assert found == News(latest())


def test_nothing_is_nothing():
    make_agent()
    assert news_since(latest()) == News(latest())


def test_a_change_that_is_not_there_is_after_the_latest():
    make_agent()
    assert news_since(latest() + 1000) == News(latest())


def test_a_log_without_changes_has_none():
    AuditLog.objects.all().delete()
    assert news_since(0) == News()
