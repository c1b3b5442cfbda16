"""The line for every request, the request's id, and that no key, body or query is ever logged."""

import json
import logging

import pytest
from django.db import OperationalError
from structlog.stdlib import ProcessorFormatter

from audit.models import AuditLog
from core.logs import Lines, logging_config
from tests.factories import MANIFEST, make_agent, make_generator, make_stack
from tests.support.api import Api, refused
from tests.support.events import is_wire_time

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    """The request lines so far; called without arguments."""
    caplog.set_level(logging.DEBUG)
    return lambda: [record for record in caplog.records if record.name == "brokkr.request"]


def test_one_line_says_who_asked_for_what_and_how_it_went(lines):
    generator, api = make_generator()
    api.get(f"/generators/{generator.id}", headers={"X-Request-Id": "find-me"})
    (line,) = lines()
    assert line.levelno == logging.INFO
    assert line.caller == f"generator:{generator.id}"
    assert line.method == "GET"
    assert line.route == "/api/v1/generators/:id"
    assert line.status == 200
    assert line.request_id == "find-me"
    assert line.duration_ms > 0


@pytest.mark.parametrize("style", ["text", "json"])
def test_the_line_is_written_as_the_processors_of_other_lines_would_write_it(admin, lines, style):
    admin.get("/stacks/0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11", headers={"X-Request-Id": "find-me"})
    # Without what the test's own handler has added.
    line = logging.makeLogRecord({k: v for k, v in vars(lines()[0]).items() if k != "message"})
    arguments = logging_config(level="info", style=style)["formatters"]["lines"]
    short = Lines(**{name: value for name, value in arguments.items() if name != "()"})
    long = ProcessorFormatter(
        foreign_pre_chain=arguments["foreign_pre_chain"], processors=arguments["processors"]
    )
    said = [comparable(written.format(line), style) for written in (short, long)]
    assert said[0] == said[1]


def comparable(text: str, style: str) -> object:
    """The line without its time, which is that of the writing, and of its parts only what they say."""
    if style == "json":
        parts = json.loads(text)
        assert is_wire_time(parts.pop("timestamp"))
        return parts
    timestamp, *words = text.split()
    assert is_wire_time(timestamp)
    return words[:4], set(words)


def test_the_callers_are_told_apart(admin, lines):
    agent, api = make_agent()
    admin.post("/auth/pak")
    api.post("/auth/pak")
    Api(None).post("/auth/pak")
    Api("a_b_c").post("/auth/pak")
    assert [line.caller for line in lines()] == ["admin", f"agent:{agent.id}", "anonymous", "anonymous"]


def test_paths_without_a_route_share_one_name(admin, lines):
    for path in ("/nothing", "/stacks/", "/nothing/0193f0a4-7c1e-7d39-8b53-0a4f6f2b9c11"):
        admin.get(path)
    assert {line.route for line in lines()} == {"unmatched"}


def test_refusals_and_failures_have_their_line_too(admin, lines, monkeypatch):
    def fail(**kwargs: object) -> None:
        raise OperationalError

    admin.put("/stacks", {})
    admin.get("/stacks/x")
    monkeypatch.setattr("generators.api.views.create_generator", fail)
    admin.post("/generators", {"name": "a"})
    assert [line.status for line in lines()] == [405, 400, 503]


def every_text(caplog) -> str:
    return "\n".join(str(vars(record)) + record.getMessage() for record in caplog.records)


def test_no_record_holds_a_key_a_body_or_a_query(admin, caplog):
    caplog.set_level(logging.DEBUG)
    stack = make_stack()
    made = admin.post(
        "/generators", {"name": "named-in-the-body"}, headers={"Idempotency-Key": "idem-1"}
    ).json()
    rotated = admin.post(f"/generators/{made['generator']['id']}/rotate-pak").json()
    admin.get("/stacks?name=named-in-the-query&pak_id=x")
    admin.post(f"/stacks/{stack.id}/deployment-objects", {"yaml_content": MANIFEST})
    admin.post("/stacks", raw=b"{broken-body")
    Api("brokkr_BRguess1_GuessedSecret").get("/stacks")
    admin.get("/stacks", headers={"User-Agent": "named-by-the-user"})
    texts = every_text(caplog)
    assert "brokkr.request" in texts
    for secret in (
        admin.key.rsplit("_", 1)[1],
        made["pak"].rsplit("_", 1)[1],
        rotated["pak"].rsplit("_", 1)[1],
        "GuessedSecret",
        "named-in-the-body",
        "named-in-the-query",
        "greeting",
        "broken-body",
        "idem-1",
        "named-by-the-user",
    ):
        assert secret not in texts, secret


def test_a_failure_logs_no_key_either(admin, caplog, monkeypatch):
    def fail(**kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("generators.api.views.create_generator", fail)
    caplog.set_level(logging.DEBUG)
    refused(admin.post("/generators", {"name": "named-in-the-body"}), 500, "internal_error")
    formatted = "\n".join(
        logging.Formatter().formatException(record.exc_info) for record in caplog.records if record.exc_info
    )
    assert "a bug" in formatted
    texts = every_text(caplog) + formatted
    assert admin.key.rsplit("_", 1)[1] not in texts
    assert "named-in-the-body" not in texts


@pytest.mark.parametrize("sent", ["a", "0123-abc_DEF.9", "x" * 64])
def test_a_sane_request_id_is_taken_over(admin, sent):
    assert admin.get("/stacks", headers={"X-Request-Id": sent}).headers["X-Request-Id"] == sent


@pytest.mark.parametrize(
    "sent", ["", " ", "a b", "x" * 65, "a\tb", "<script>", 'a"b', "sch\xfcssel", "a;b", "../a"]
)
def test_another_one_is_replaced(admin, sent):
    answered = admin.get("/stacks", headers={"X-Request-Id": sent}).headers["X-Request-Id"]
    assert answered != sent
    assert len(answered) == 32
    assert int(answered, 16)


def test_every_request_has_an_id_of_its_own(admin):
    ids = {
        admin.get(path).headers["X-Request-Id"] for path in ("/stacks", "/stacks", "/nothing", "/stacks/x")
    }
    assert len(ids) == 4


def test_the_id_is_in_the_audit_row_of_the_change(admin):
    admin.post("/generators", {"name": "a"}, headers={"X-Request-Id": "find-me"})
    assert set(AuditLog.objects.filter(request_id="find-me").values_list("action", flat=True)) == {
        "generator.created",
        "pak.created",
    }
