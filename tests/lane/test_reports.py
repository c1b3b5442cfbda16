"""Reports by the lane and by the views behind it: the same answer, and the same rows."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.models import AgentEvent, StackReport
from brokkr_site.wsgi import application
from lane.application import Lane
from tests.factories import make_agent, make_object, make_stack
from tests.support.wsgi import Answer, call

pytestmark = pytest.mark.django_db

VIEWS = WSGIHandler()
# What differs between two reports that are otherwise alike.
_OF_THE_MOMENT = {"id", "created_at", "updated_at"}
UNKNOWN = str(uuid4())
PARTS = {
    "deployment_object_id": st.sampled_from(["first", "first", "second", UNKNOWN, "x", None]),
    "event_type": st.sampled_from(["DEPLOY", "DEPLOY", "", " ", "é", "x" * 51, 7]),
    "status": st.sampled_from(["SUCCESS", "FAILURE", "success", None]),
}
OPTIONAL = {
    "message": st.sampled_from([None, "", "no image", "\0", "é" * 40, 1]),
    "agent_id": st.sampled_from(["own", UNKNOWN, "x"]),
    "more": st.sampled_from([1, {"a": "\0"}]),
}
REPORTS = st.fixed_dictionaries(PARTS, optional=OPTIONAL)
GOOD = {"deployment_object_id": "first", "event_type": "DEPLOY", "status": "SUCCESS"}
UNUSUAL = st.sampled_from(
    [*[{}] * 5, {"QUERY_STRING": "x=1"}, {"CONTENT_TYPE": "text/plain"}, {"HTTP_CONTENT_ENCODING": "gzip"}]
)
BATCHES = st.lists(st.one_of(st.just(GOOD), REPORTS), max_size=4)


class World:
    """An agent with two objects, and how it reports."""

    def __init__(self) -> None:
        self.agent, api = make_agent(labels=["a"])
        self.key = str(api.key)
        objects = [make_object(make_stack(labels=["a"])) for _ in range(2)]
        self.ids = {"first": str(objects[0].id), "second": str(objects[1].id), "own": str(self.agent.id)}

    def report(self, through: Any, action: str, body: object, **environ: Any) -> Answer:
        raw = orjson.dumps(body)
        environ = {"CONTENT_LENGTH": str(len(raw)), "HTTP_X_REQUEST_ID": "r-1"} | environ
        return call(
            "POST",
            f"/api/v1/agents/{self.agent.id}/{action}",
            through=through,
            body=raw,
            key=self.key,
            **environ,
        )

    def outcome(self, through: Any, action: str, body: object, **environ: Any) -> Any:
        """What such a report is answered and what it writes, after which everything is as before."""
        with transaction.atomic():
            answer = self.report(through, action, body, **environ)
            told = _as_told(answer.json())
            events = sorted(AgentEvent.objects.values_list("event_type", "status", "count"))
            standing = sorted(StackReport.objects.values_list("sequence_id", "status"))
            transaction.set_rollback(True)
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        return answer.status_code, headers, told, events, standing

    def named(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report with ids for names."""
        return {
            name: self.ids.get(value, value) if isinstance(value, str) else value
            for name, value in report.items()
        }


def _as_told(answer: Any) -> Any:
    """The answer without what differs from moment to moment."""
    if isinstance(answer, list):
        return [_as_told(each) for each in answer]
    return {name: value for name, value in answer.items() if name not in _OF_THE_MOMENT}


@pytest.fixture
def there() -> World:
    return World()


def nobody(*_: Any) -> Any:
    """Stands behind the lane and fails, because the lane must answer."""
    raise AssertionError("the views were asked")


@examples(max_examples=40)
@given(report=REPORTS, environ=UNUSUAL)
def test_both_ways_answer_a_report_alike(there, report, environ):
    body = there.named(report)
    by_lane, by_views = (
        there.outcome(through, "events", body, **environ) for through in (application, VIEWS)
    )
    assert by_lane == by_views


@examples(max_examples=40)
@given(reports=BATCHES)
def test_both_ways_answer_a_batch_alike(there, reports):
    body = {"events": [there.named(report) for report in reports]}
    by_lane, by_views = (there.outcome(through, "events/batch", body) for through in (application, VIEWS))
    assert by_lane == by_views


@pytest.mark.parametrize(("action", "body"), [("events", GOOD), ("events/batch", {"events": [GOOD, GOOD]})])
def test_ordinary_reports_are_answered_by_the_lane(there, action, body):
    reports = [there.named(report) for report in body.get("events", [body])]
    answer = there.report(Lane(nobody), action, {"events": reports} if "events" in body else reports[0])
    assert answer.status_code == 201
    assert AgentEvent.objects.get().count == len(reports)


def test_the_lane_names_the_agent_as_the_author(there, monkeypatch):
    authors = []
    monkeypatch.setattr("agents.services.events.emit", lambda *events: authors.extend(events))
    for through in (application, VIEWS):
        with transaction.atomic():
            there.report(
                through, "events", there.named(GOOD), HTTP_USER_AGENT="agent/1", REMOTE_ADDR="10.0.0.7"
            )
            transaction.set_rollback(True)
    by_lane, by_views = (event.actor for event in authors)
    assert by_lane == by_views
    assert (by_lane.id, by_lane.ip_address, by_lane.user_agent) == (there.agent.id, "10.0.0.7", "agent/1")
