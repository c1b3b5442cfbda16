"""A client's `traceparent` is understood where it is valid, and reaches the log line in the views and in the lane."""

import logging

import pytest

from core.trace_context import TraceParent, parse_traceparent
from tests.factories import make_agent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (f"00-{TRACE}-{SPAN}-01", TraceParent(TRACE, SPAN, is_sampled=True)),
        (f"00-{TRACE}-{SPAN}-00", TraceParent(TRACE, SPAN, is_sampled=False)),
        (f"cc-{TRACE}-{SPAN}-03-what-the-future-brings", TraceParent(TRACE, SPAN, is_sampled=True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        ("", None),
    ],
)
def test_a_header_is_understood_or_ignored(sent, understood):
    assert parse_traceparent(sent) == understood


@pytest.mark.django_db
@pytest.mark.parametrize(("sent", "logged"), [(f"00-{TRACE}-{SPAN}-01", TRACE), ("nonsense", None)])
def test_the_line_of_a_request_names_its_trace(caplog, sent, logged):
    caplog.set_level(logging.INFO)
    agent, api = make_agent()
    api.get(f"/agents/{agent.id}", headers={"traceparent": sent})
    (line,) = [record for record in caplog.records if record.name == "brokkr.request"]
    assert getattr(line, "trace_id", None) == logged
