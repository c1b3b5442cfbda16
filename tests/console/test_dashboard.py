"""The first page: its numbers are those of the lists they lead to, and it costs what it costs."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import activity
from agents.activity import last_day
from agents.models import AgentEvent, AgentHeartbeat
from agents.services.agents import record_heartbeat
from console import dashboard
from console.chart import HEIGHT, chart_of
from core.admin import Count, capped_count, table_count
from core.events import SYSTEM
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_delivery,
    make_event,
    make_log_entry,
    make_object,
    make_stack,
    make_webhook,
    make_work_order,
)
from tests.support.admin import staff
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


def fleet() -> None:
    """One of everything that the page counts, and of some things two."""
    agent, _ = make_agent(labels=["prod"], active=True)
    record_heartbeat(agent_id=agent.pk, k8s_reachable=True, k8s_api_latency_ms=5)
    silent, _ = make_agent(labels=["prod"], active=True)
    AgentHeartbeat.objects.filter(agent=silent).update(last_heartbeat=timezone.now() - timedelta(hours=1))
    make_agent()
    stack = make_stack(labels=["prod"])
    make_event(agent, make_object(stack), "FAILURE", "no such image")
    make_event(silent, make_object(make_stack(labels=["prod"])))
    gone = make_stack(labels=["prod"])
    make_event(agent, make_object(gone))
    with transaction.atomic():
        delete_stack(stack=gone, actor=SYSTEM)
    make_work_order()
    make_claimed_work_order(agent)
    make_log_entry(agent, success=False)
    # Two webhooks that hear of one thing, and of nothing else that a second fleet brings.
    facts = {"stack_id": str(stack.pk)}
    dead = make_delivery(make_webhook(filters=facts), data=facts)
    make_delivery(make_webhook(filters=facts), data=facts)
    Delivery.objects.filter(pk=dead.pk).update(status="dead", due_at=None, completed_at=timezone.now())


def figures(page) -> dict[str, tuple[str, str]]:
    """By label: the number and the link."""
    found = re.findall(r'<a href="([^"]+)"[^>]*>\s*<strong>([^<]+)</strong>\s*<span>([^<]+)</span>', page)
    return {label: (number, unescape(url).removeprefix("/admin/")) for url, number, label in found}


def test_every_number_is_that_of_the_list_it_leads_to(operator):
    fleet()
    shown = figures(operator.get("").content.decode())
    assert {label: number for label, (number, _) in shown.items()} == {
        "alive": "1",
        "silent": "1",
        "never seen": "1",
        "not active": "1",
        "removals to confirm": "0",
        "stacks": "2",
        "versions": "4",
        "generators": "4",
        "pending": "1",
        "claimed": "1",
        "retry pending": "0",
        "failed within a day": "1",
        "waiting": "2",
        "to be retried": "0",
        "given up": "1",
    }
    for label, (number, url) in shown.items():
        path, _, query = url.partition("?")
        page = operator.get(
            path, **dict(part.split("=") for part in query.replace("%3A", ":").split("&") if part)
        )
        assert (label, page.status_code) == (label, 200)
        assert (label, str(page.context["cl"].result_count)) == (label, number)


@pytest.mark.parametrize(
    ("state", "title", "words"),
    [
        ("failing", "Failing now", "no such image"),
        ("pending", "Pending now", ""),
        ("removing", "Being removed", ""),
    ],
)
def test_deployments_that_need_attention_are_listed_and_lead_to_all_of_them(operator, state, title, words):
    fleet()
    page = operator.get("").content.decode()
    assert title in page
    assert words in page
    assert f"/admin/deployments/?state={state}" in page
    listed = operator.get("deployments/", state=state)
    assert listed.context["count"] == {"failing": 1, "pending": 1, "removing": 1}[state]
    assert words in listed.content.decode()


def test_a_list_of_deployments_that_nobody_knows_is_that_of_the_failing(operator):
    fleet()
    assert operator.get("deployments/", state="x").context["subtitle"] == "Failing"


def test_a_broker_without_anything_says_that_all_is_well(operator):
    page = operator.get("").content.decode()
    assert "No deployment is failing." in page
    assert "No agent has reported anything within a day." in page
    # An empty grid and its zeros would say less.
    assert "brokkr-plot" not in page
    assert "0 reports" not in page
    assert "Being removed" not in page
    assert "There is none at present." in operator.get("deployments/").content.decode()


def test_the_page_costs_the_same_queries_for_any_fleet(operator):
    costs = []
    for _ in range(3):
        fleet()
        with CaptureQueriesContext(connection) as captured:
            operator.get("")
        costs.append(len(captured))
    assert costs[0] == costs[1] == costs[2]


def test_everybody_sees_only_the_part_that_is_permitted():
    fleet()
    page = staff("stacks.view_stack").get("").content.decode()
    assert set(figures(page)) == {"stacks", "versions", "generators"}
    assert "no such image" not in page
    assert "<svg" not in page
    nobody = staff(name="bjorn")
    assert "nothing here that you may see" in nobody.get("").content.decode()
    assert nobody.get("deployments/").status_code == 403


def test_more_rows_than_shown_are_counted_as_far_as_a_limit(operator, monkeypatch):
    monkeypatch.setattr(dashboard, "ROWS_SHOWN", 2)
    monkeypatch.setattr(dashboard, "ROWS_COUNTED", 3)
    agent, _ = make_agent(labels=["prod"])
    for number in range(4):
        make_event(agent, make_object(make_stack(labels=["prod"])), "FAILURE", f"broke {number}")
    page = operator.get("").content.decode()
    assert "3+: see all" in page
    assert "broke 3" in page
    assert "broke 1" not in page


def test_counting_stops_at_the_limit():
    for _ in range(3):
        make_stack()
    assert capped_count(Stack.objects.all(), cap=3) == Count(3)
    assert capped_count(Stack.objects.all(), cap=2) == Count(2, is_exact=False)
    assert [str(Count(1234)), str(Count(1234, is_exact=False))] == ["1,234", "1,234+"]
    assert str(Count(1234, is_estimate=True)) == "≈ 1,234"


def analyze(table: str) -> None:
    """Let PostgreSQL estimate anew, whatever it remembers of the tests before."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")


def test_a_large_table_is_estimated_where_the_database_does(monkeypatch):
    analyze("deployment_objects")
    stack = make_stack()
    for _ in range(3):
        make_object(stack)
    assert table_count(DeploymentObject) == Count(3)
    monkeypatch.setattr("core.admin.counts.capped_count", lambda _: Count(2, is_exact=False))
    # Without an estimate that is any better, the limit stands.
    assert table_count(DeploymentObject) == Count(2, is_exact=False)
    analyze("deployment_objects")
    if connection.vendor == "postgresql":
        assert table_count(DeploymentObject) == Count(3, is_exact=False, is_estimate=True)


def event_at(moment: datetime, status: str = "SUCCESS") -> None:
    event = make_event(make_agent()[0], make_object(make_stack()), status)
    AgentEvent.objects.filter(pk=event.pk).update(created_at=moment)


NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_reports_are_counted_by_the_hour_of_the_last_day():
    event_at(NOW)
    event_at(NOW.replace(minute=0))
    event_at(NOW.replace(minute=0) - timedelta(microseconds=1), "FAILURE")
    event_at(NOW - timedelta(hours=23, minutes=30), "FAILURE")
    event_at(NOW - timedelta(hours=23, minutes=30, seconds=1))
    hours = last_day(NOW)
    assert [hour.start for hour in hours][::23] == [
        NOW.replace(hour=10, minute=0, day=23),
        NOW.replace(minute=0),
    ]
    assert {number: (hour.reports, hour.failures) for number, hour in enumerate(hours) if hour.reports} == {
        0: (1, 1),
        22: (1, 1),
        23: (2, 0),
    }


def test_an_hour_is_counted_only_so_far(monkeypatch):
    for _ in range(3):
        event_at(NOW, "FAILURE")
    monkeypatch.setattr(activity, "CAP", 2)
    assert [(hour.reports, hour.failures, hour.is_capped) for hour in last_day(NOW)][-1] == (2, 2, True)


def test_bars_fill_the_chart_and_lead_to_their_hour():
    event_at(NOW)
    event_at(NOW, "FAILURE")
    event_at(NOW - timedelta(hours=1))
    chart = chart_of(last_day(NOW), lambda hour: f"/{hour.start:%H}")
    before, last = chart.bars[-2:]
    assert last.success_height + last.failure_height == HEIGHT
    assert (last.success_y, last.failure_y) == (0, HEIGHT / 2)
    assert before.success_height == HEIGHT / 2
    assert last.url == "/09"
    assert last.words == "09:00 to 10:00 UTC: 2 reports, 1 of failure"
    assert (chart.reports, chart.failures) == ("3", "1")


@pytest.mark.parametrize(
    ("highest", "marks"),
    [(0, []), (1, ["2", "1", "0"]), (203, ["220", "110", "0"]), (activity.CAP, ["5,000+", "2,500", "0"])],
)
def test_the_axis_of_the_chart_has_whole_numbers(highest, marks):
    chart = chart_of(
        [activity.Hour(start=NOW, reports=highest, failures=0)], lambda hour: f"/{hour.start:%H}"
    )
    assert chart.marks == marks


def test_a_bar_leads_to_the_reports_of_its_hour(operator):
    agent, _ = make_agent()
    event = make_event(agent, make_object(make_stack()))
    AgentEvent.objects.filter(pk=event.pk).update(deleted_at=timezone.now())
    page = operator.get("").content.decode()
    urls = [unescape(url) for url in re.findall(r'<a href="/admin/(agents/agentevent/[^"]+)"', page)]
    assert len(urls) == 24
    found = []
    for url in urls[-2:]:
        path, _, query = url.partition("?")
        pairs = dict(part.split("=") for part in query.replace("%3A", ":").split("&"))
        found += list(operator.get(path, **pairs).context["cl"].result_list)
    assert found == [event]
