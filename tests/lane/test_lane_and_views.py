"""The lane against the views behind it: the same status, body, headers and log line for every request."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prometheus_client.core import REGISTRY

from brokkr_site.wsgi import application
from config.watcher import watcher
from core.events import SYSTEM
from core.logs import REQUEST_FIELDS, REQUEST_LOGGER
from lane.application import Lane
from lane.calls import CALLS
from paks.models import Pak, Role
from paks.services import issue_pak, revoke_pak
from tests.factories import make_agent, make_object, make_stack
from tests.support.wsgi import Answer, call

pytestmark = pytest.mark.django_db

# The collection and what follows the id in the path.
ROUTES = sorted({tuple(route.split("/:id/")) for _, route in CALLS})
_OTHER_ROUTES = [("agents", action) for action in ("heartbeat/", "target-state/x", "%68eartbeat", "")]
_OTHER_ROUTES += [("stacks", "events"), ("stacks", "deployment-objects/"), ("agents", "deployment-objects")]
# Keys of the world by their names, and headers as they are.
KEYS = st.sampled_from(
    [
        *["own"] * 6,
        "bare",
        "spaced",
        "other",
        "admin",
        "revoked",
        "mangled",
        "none",
        "Basic x",
        "a_b_é",
        "x_y_z",
    ]
)
_PLAIN_QUERIES = ["", "", "", "mode=full", "mode=incremental", "work_type=build", "work_type="]
_OTHER_QUERIES = [
    *(
        "wait_seconds=30&seen=9:12:9,10",
        "wait_seconds=31&seen=9:9:",
        "wait_seconds=1&seen=9",
        "wait_seconds=1&seen=9:9:" + "1," * 200 + "1",
        "wait_seconds=",
        "seen=x",
    ),
    "mode=",
    "mode=%66ull",
    "mode=x",
    "mode=full&mode=full",
    "x=1",
    "work_type=a%20b",
    "work_type=%00",
]
QUERIES = st.sampled_from([*_PLAIN_QUERIES, *_OTHER_QUERIES, "limit=0", "limit=5", "cursor=x", "é"])
_PLAIN_BODIES = [
    b"",
    b"",
    b"{}",
    b'{"k8s_reachable":true,"k8s_api_latency_ms":12}',
    b'{"k8s_reachable":null}',
    b" {} ",
]
_SYNC_BODIES = [
    b'{"tag":null,"held":[],"reports":[],"agent_version":"1.0.0"}',
    b'{"tag":"x","held":["ab","c-d"],"waiting_removals":[]}',
    *(b'{"tag":"%s","held":["ab"]}' % text for text in (b"a" * 64, b"a" * 65, b"\\u0000", b"\xc3\xa9", b"")),
    *(b'{"held":%s}' % held for held in (b"null", b"{}", b'[""]', b"[1]", b'["%s"]' % (b"a" * 65))),
    *(b'{"agent_version":%s}' % text for text in (b"1", b'"%s"' % (b"1" * 51), b'"a b"', b'""')),
    b'{"reports":null}',
    b'{"renewals":[1]}',
    b'{"unknown":1}',
]
_NUMBERS = [
    b'{"k8s_api_latency_ms":%s}' % number for number in (b"2147483648", b"true", b"1.0", b"-1", b'"1"')
]
_NO_OBJECTS = [b"{", b"[]", b"null", b"\xff", b'"', b"NaN"]
BODIES = st.sampled_from(
    [*_PLAIN_BODIES, *_SYNC_BODIES, *_NUMBERS, *_NO_OBJECTS, b'{"x":"%s"}' % (b"y" * 5000)]
)
_OF_BODIES = ["CONTENT_LENGTH", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_RANGE"]
_CONDITIONS = [
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IDEMPOTENCY_KEY",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
]
_CLIENTS = ["HTTP_ACCEPT", "HTTP_COOKIE", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_USER_AGENT", "HTTP_X_REQUEST_ID"]
_NAMES = ["", "a", "a" * 65, "é", "*", "PUT", "sessionid=x", "gzip", "identity", "chunked"]
_PLACES = ["http://localhost:3001", "example.com:80", "[::1]", "bad host"]
HEADERS = st.dictionaries(
    st.sampled_from([*_OF_BODIES, *_CONDITIONS, *_CLIENTS, "HTTP_X_FORWARDED_PROTO"]),
    st.sampled_from([*_NAMES, *_PLACES, "0", "7", "99999", "²"]),
    max_size=2,
)
REQUESTS = st.fixed_dictionaries(
    {
        "key": KEYS,
        "query": QUERIES,
        "body": BODIES,
        "tag": st.sampled_from([None, None, "same", "weak", "list", "*", '"other"', "no tag", ""]),
        "content_type": st.sampled_from(
            [*["application/json"] * 3, "", "text/plain", "application/json; q=1"]
        ),
    }
)
VIEWS = WSGIHandler()


class Behind(WSGIHandler):
    """Django, and how often it was asked."""

    asked = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return super().__call__(environ, start_response)


@dataclass
class World:
    """An agent that should have one object, the object's stack, and keys of all kinds."""

    agent_id: UUID
    stack_id: UUID
    keys: dict[str, str]
    etag: str = ""

    def ask(
        self,
        through: Any,
        method: str,
        action: str,
        *,
        collection: str = "agents",
        key: str = "own",
        tag: str | None = None,
        **rest: Any,
    ) -> Answer:
        """`rest` goes to `call`."""
        if key != "none":
            rest["HTTP_AUTHORIZATION"] = self.keys.get(key, key)
        if tag is not None:
            tags = {"same": self.etag, "weak": f"W/{self.etag}", "list": f'"x", W/{self.etag}'}
            rest["HTTP_IF_NONE_MATCH"] = tags.get(tag, tag)
        resource_id = self.agent_id if collection == "agents" else self.stack_id
        return call(method, f"/api/v1/{collection}/{resource_id}/{action}", through=through, **rest)


@pytest.fixture
def there() -> World:
    agent, api = make_agent(labels=["a"], active=True)
    _, other = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    make_object(stack)
    _, admin = issue_pak(role=Role.ADMIN, subject_id=None, name="admin", actor=SYSTEM)
    pak, revoked = issue_pak(role=Role.AGENT, subject_id=agent.id, name="old", actor=SYSTEM)
    revoke_pak(pak_id=pak.id, actor=SYSTEM)
    own = str(api.key)
    prefix, _, secret = own.split("_")
    made = World(
        agent.id,
        stack.id,
        {
            "own": f"Bearer {own}",
            "bare": own,
            "spaced": f"  bearer   {own} ",
            "other": f"Bearer {other.key}",
            "admin": f"Bearer {admin}",
            "revoked": f"Bearer {revoked}",
            "mangled": f"Bearer {prefix}_BRwrong_{secret}",
        },
    )
    made.etag = made.ask(VIEWS, "GET", "target-state").headers["ETag"]
    return made


class _Lines(logging.Handler):
    """The fields of requests' log lines, but for how long they took."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.fields.append({name: vars(record)[name] for name in REQUEST_FIELDS if name != "duration_ms"})


def both(there: World, method: str, action: str, **request: Any) -> tuple[Answer, Answer]:
    """By the lane and by the views, after comparing their log lines."""
    lines = _Lines()
    logger = logging.getLogger(REQUEST_LOGGER)
    logger.addHandler(lines)
    try:
        one, other = (there.ask(through, method, action, **request) for through in (application, VIEWS))
    finally:
        logger.removeHandler(lines)
    by_lane, by_views = lines.fields
    if request.get("HTTP_X_REQUEST_ID") != by_views["request_id"]:
        assert {len(str(by_lane.pop("request_id"))), len(str(by_views.pop("request_id")))} == {32}
        del one.headers["X-Request-Id"], other.headers["X-Request-Id"]
    assert by_lane == by_views
    return one, other


@examples(max_examples=400)
@given(
    method=st.sampled_from(["GET", "GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "BREW"]),
    route=st.sampled_from([*ROUTES, *ROUTES, *_OTHER_ROUTES]),
    request=REQUESTS,
    headers=HEADERS,
)
def test_both_ways_answer_alike(there, method, route, request, headers):
    collection, action = route
    body, query = request["body"], request["query"]
    environ = ({"CONTENT_LENGTH": str(len(body))} if body else {}) | headers
    given_request = {name: value for name, value in request.items() if name != "query"}
    by_lane, by_views = both(
        there, method, f"{action}?{query}", collection=collection, **given_request, **environ
    )
    assert by_lane == by_views


@pytest.mark.parametrize("tag", [None, "same", "weak", "*", '"other"'])
@pytest.mark.parametrize("query", ["", "?mode=full", "?mode=incremental"])
def test_polls_are_answered_by_the_lane(there, query, tag):
    behind = Behind()
    answer = there.ask(Lane(behind), "GET", f"target-state{query}", tag=tag)
    assert answer.status_code == (304 if tag in {"same", "weak", "*"} else 200)
    assert not behind.asked


@pytest.mark.parametrize("action", [action for _, action in ROUTES if action.endswith("/pending")])
def test_looks_that_find_nothing_are_answered_by_the_lane(there, action):
    behind = Behind()
    assert there.ask(Lane(behind), "GET", action).json() == []
    assert not behind.asked


@pytest.mark.requires_postgres
@pytest.mark.parametrize("body", [b"", b"{}", b'{"k8s_reachable":true,"k8s_api_latency_ms":12}'])
def test_heartbeats_are_answered_by_the_lane(there, body):
    behind = Behind()
    assert (
        there.ask(Lane(behind), "POST", "heartbeat", body=body, CONTENT_LENGTH=str(len(body))).status_code
        == 204
    )
    assert not behind.asked


@pytest.mark.requires_postgres
@pytest.mark.parametrize("said", [b"", b'{"agent_version":"1.0.0"}'])
def test_a_sync_without_reports_is_answered_by_the_lane(there, said):
    behind = Behind()
    answer = there.ask(Lane(behind), "POST", "sync", body=said, CONTENT_LENGTH=str(len(said)))
    assert [row["stack_name"] for row in answer.json()["state"]["versions"]]
    assert not behind.asked


def test_half_a_body_is_read_by_both_ways(there):
    by_lane, by_views = both(there, "POST", "heartbeat", body=b'{"k8s_reach', CONTENT_LENGTH="22")
    assert by_lane == by_views
    assert by_lane.status_code == 400


@pytest.mark.parametrize(("status", "error"), [(503, OperationalError("gone")), (500, ValueError("bug"))])
def test_both_ways_fail_alike(there, monkeypatch, status, error):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr("lane.calls.poll", fail)
    monkeypatch.setattr("paks.api.authentication.principal_for", fail)
    by_lane, by_views = both(there, "GET", "target-state", HTTP_X_REQUEST_ID="r-1")
    assert by_lane == by_views
    assert by_lane.status_code == status


def test_a_broker_that_limits_rates_answers_by_its_views(there, settings):
    settings.RATE_LIMIT_PER_SECOND = 1000
    behind = Behind()
    there.ask(Lane(behind), "GET", "target-state")
    assert behind.asked == 1


def test_a_host_that_is_not_allowed_is_refused_by_both_ways(there, settings):
    settings.ALLOWED_HOSTS = ["broker.example"]
    for host, status in (("broker.example:3000", 200), ("elsewhere.example", 400)):
        by_lane, by_views = both(there, "GET", "target-state", HTTP_HOST=host)
        assert by_lane == by_views
        assert by_lane.status_code == status


@pytest.mark.parametrize("required", [False, True])
def test_both_ways_ask_for_a_registration_where_one_is_required(there, settings, required):
    settings.REQUIRE_REGISTRATION = required
    by_lane, by_views = both(there, "GET", "target-state")
    assert by_lane == by_views
    assert len(by_lane.json()) == (0 if required else 1)


def test_the_lane_looks_for_changed_settings(there, monkeypatch):
    looks = []
    monkeypatch.setattr(watcher, "look", lambda: looks.append(True))
    there.ask(Lane(Behind()), "GET", "target-state")
    assert looks == [True]


def test_the_lane_notes_that_a_key_is_in_use(there):
    Pak.objects.update(last_used_at=None)
    there.ask(application, "GET", "target-state")
    assert Pak.objects.get(subject_id=there.agent_id, revoked_at=None).last_used_at is not None


@pytest.mark.parametrize("through", [application, VIEWS], ids=["lane", "views"])
def test_each_way_counts_a_request_once(there, through):
    labels = {"endpoint": "/api/v1/agents/:id/target-state", "method": "GET", "status": "200"}
    before = REGISTRY.get_sample_value("brokkr_http_requests_total", labels) or 0
    there.ask(through, "GET", "target-state")
    assert REGISTRY.get_sample_value("brokkr_http_requests_total", labels) == before + 1
