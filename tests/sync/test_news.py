"""Which changes wake which of the agents that wait."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from agents.services.targets import remove_target
from audit.models import AuditLog
from core.events import SYSTEM
from core.labels.services import add_annotation, add_label
from generators.services import delete_generator, lock_generator, update_generator
from health.services import HealthReport, report_health
from stacks.services import delete_stack, lock_stack
from sync.look import look
from sync.news import News, news_since
from sync.snapshot import Changes, Snapshot, snapshot_of
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
from workorders.services.targeting import Targeting

# Transactions must end: what the same transaction wrote is seen already.
pytestmark = pytest.mark.django_db(transaction=True)


def now_seen() -> Snapshot:
    return news_since(Snapshot(2**60)).seen


def news_of(change: Callable[[], Any]) -> News:
    """What is new by the change."""
    before = now_seen()
    with transaction.atomic():
        change()
    return news_since(before)


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
    def delete_generator(self) -> None:
        delete_generator(generator=lock_generator(self.stack.generator_id), actor=SYSTEM)

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
        Served.delete_generator,
        lambda served: make_diagnostic(served.agent, served.version),
        lambda served: make_work_order(targeting=Targeting([served.agent.id])),
    ],
    ids=["version", "target", "lost target", "deleted stack", "deleted generator", "diagnostic", "order"],
)
def test_a_change_is_news_to_the_agents_whom_it_concerns(served, change):
    found = news_of(lambda: change(served))
    assert (set(found.for_all), set(found.for_agents)) == (set(), {served.agent.id})


@pytest.mark.parametrize(
    "targeting",
    [Targeting(labels=["builder"]), Targeting(annotations={"site": "north"})],
    ids=["label", "annotation"],
)
def test_an_order_is_news_to_those_who_share_a_word_with_it(served, targeting):
    add_label(owner=served.agent, label="builder", actor=SYSTEM)
    add_annotation(owner=served.agent, key="site", value="north", actor=SYSTEM)
    found = news_of(lambda: make_work_order(targeting=targeting))
    assert (set(found.for_all), set(found.for_agents)) == (set(), {served.agent.id})


def test_an_order_whose_claim_has_ended_is_news_to_those_who_may_claim_it(served, now):
    make_claimed_work_order(served.agent, max_retries=3)
    found = news_of(lambda: release_stale_claims(now=now + timedelta(days=1)))
    assert (set(found.for_all), set(found.for_agents)) == (set(), {served.agent.id})


def test_what_a_generator_is_called_is_no_news(served):
    def rename() -> None:
        generator = lock_generator(served.stack.generator_id)
        update_generator(generator=generator, changes={"name": "another"}, actor=SYSTEM)

    found = news_of(rename)
    assert (set(found.for_all), set(found.for_agents)) == (set(), set())


def test_many_changes_at_once_are_news_to_everybody(monkeypatch, served):
    monkeypatch.setattr("sync.news._MOST_CHANGES", 1)
    assert news_of(lambda: make_object(served.stack)).is_incomplete


def test_health_is_no_news(now, served):
    report = [HealthReport(served.version.id, "failing", now)]
    found = news_of(lambda: report_health(agent_id=served.agent.id, reports=report, actor=SYSTEM, now=now))
    assert (set(found.for_all), set(found.for_agents)) == (set(), set())


def test_nothing_is_nothing():
    make_agent()
    found = news_since(now_seen())
    assert (set(found.for_all), set(found.for_agents)) == (set(), set())


def test_a_log_without_changes_has_none():
    AuditLog.objects.all().delete()
    found = news_since(Snapshot(0))
    assert (set(found.for_all), set(found.for_agents)) == (set(), set())


@pytest.mark.requires_postgres
def test_a_change_that_was_numbered_before_another_and_committed_after_it_is_heard():
    early, late = make_agent()[0], make_agent()[0]
    written, may_commit = threading.Event(), threading.Event()

    def begin_first() -> None:
        try:
            with transaction.atomic():
                make_target(early, stack)
                written.set()
                assert may_commit.wait(60)
        finally:
            connections.close_all()

    stack = make_stack()
    thread = threading.Thread(target=begin_first)
    thread.start()
    try:
        assert written.wait(60)
        before = now_seen()
        make_target(late, make_stack())
        meanwhile = news_since(before)
        # As an agent does that waits from here on.
        waits_from = snapshot_of(look(early.id).seen)
    finally:
        may_commit.set()
        thread.join()
    heard = news_since(meanwhile.seen)
    assert (set(meanwhile.for_agents), set(heard.for_agents)) == ({late.id}, {early.id})
    changes = Changes()
    for number in heard.for_agents[early.id]:
        changes.add(number)
    assert changes.has_more_than(waits_from)
    assert not changes.has_more_than(snapshot_of(look(early.id).seen))
