"""A running broker answers agents' plain requests as it answers those that it leaves to gunicorn."""

import pytest

from tests.support.live_api import Rows, make_rows, metric
from tests.support.raw_http import Answer, Wire
from tests.support.server import LiveServer

pytestmark = [pytest.mark.live]

CALLS = [
    ("GET", "target-state", None),
    ("GET", "target-state?mode=full", None),
    ("GET", "target-state?mode=x", None),
    ("GET", "work-orders/pending", None),
    ("GET", "diagnostics/pending", None),
    ("GET", "webhooks/pending", None),
    ("POST", "heartbeat", b""),
    ("POST", "heartbeat", b'{"k8s_reachable":true}'),
    ("POST", "heartbeat", b"{"),
    ("POST", "sync", b"{}"),
    ("POST", "events", b"{}"),
    ("GET", "nothing", None),
]
# It says nothing, but gunicorn looks at such a field, so the request is not plain.
READING = 'brokkr_database_query_duration_seconds_count{query_type="select"}'
ODD = {"X_Forwarded_Ssl": "off"}


@pytest.fixture(scope="module")
def rows(_shared_broker: LiveServer) -> Rows:
    return make_rows(_shared_broker, "plain")


def _shown(answer: Answer) -> tuple[int, list[tuple[str, str]], object]:
    """The answer without what differs from moment to moment: the date, and how far the agent has heard of changes."""
    fields = [field for field in answer.headers.items() if field[0] not in {"Date", "Content-Length"}]
    body = answer.json() if answer.body else None
    return answer.status, fields, body | {"seen": ""} if isinstance(body, dict) and "seen" in body else body


@pytest.mark.parametrize("key", [None, "brokkr_BRnobody0_nothing"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_plain_and_other_requests_get_the_same_answers(
    broker: LiveServer, rows: Rows, call: tuple[str, str, bytes | None], key: str | None
):
    method, action, body = call
    path = f"/agents/{rows.agent_id}/{action}"
    with Wire(broker, key or rows.agent_key) as agent:
        plain, other = (
            agent.exchange(method, path, body, **{"X_Request_Id": "same"} | odd) for odd in ({}, ODD)
        )
        assert _shown(plain) == _shown(other)


def test_a_request_that_the_lane_declines_is_asked_of_it_once(broker: LiveServer, rows: Rows):
    path = f"/agents/{rows.agent_id}/work-orders/pending"

    def asked(wire: Wire, **odd: str) -> float:
        """The reading statements of one request, and of looking at the metrics."""
        before = metric(broker, READING)
        assert wire.exchange("GET", path, None, **odd).status == 401
        return metric(broker, READING) - before

    with Wire(broker, "brokkr_BRnobody0_nothing") as stranger:
        # The first one is noted in the audit log.
        stranger.exchange("GET", path)
        assert asked(stranger) == asked(stranger, **ODD)


def test_plain_requests_that_come_together_are_answered_in_turn(broker: LiveServer, rows: Rows):
    with Wire(broker, rows.agent_key) as agent:
        looks = [
            agent.head("GET", f"/agents/{rows.agent_id}/work-orders/pending", X_Request_Id=str(number), **odd)
            for number, odd in enumerate([{}, {}, ODD, {}])
        ]
        agent.send(b"".join(looks))
        assert [agent.answer().headers["X-Request-Id"] for _ in looks] == ["0", "1", "2", "3"]
