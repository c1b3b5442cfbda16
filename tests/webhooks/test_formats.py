"""The formats for people: what each event says in them, that receivers accept it, and that names do no harm in it."""

import re
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from webhooks.bodies import render_in
from webhooks.event_types import EVENT_TYPES, SUMMARY_EVENT, TEST_EVENT
from webhooks.formats import MAX_FACTS, MAX_VALUE, Format, content_type, harmless
from webhooks.notices import SENTENCES, Names

PEOPLE = [each for each in Format if each != Format.STANDARD]
ROW = UUID("0193f0a2-7c1e-7d39-8b53-0a4f6f2b9c11")
# What is sent beside the published types.
ALL_TYPES = (*EVENT_TYPES, TEST_EVENT, SUMMARY_EVENT)
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
# All that the data of any event have.
DATA: dict[str, Any] = {
    "agent_id": ROW,
    "stack_id": ROW,
    "generator_id": ROW,
    "sequence_id": 7,
    "name": "terraform",
    "role": "admin",
    "cluster_name": "eu-1",
    "work_type": "build",
    "wave": 2,
    "scope": "label",
    "label": "eu",
    "strategy": "canary",
    "cause": "failures",
    "reason": "because",
    "until": AT,
    "ends_at": AT,
    "last_heartbeat": AT,
    "entries": 3,
    "number": 5,
    "count": 12,
}
NASTY = "<!channel> @here <@U123> [click](https://evil.example) *b* _i_ `c` &amp; www.evil.example\r\n# h\u202e \ud83d"


def names(word: str) -> Names:
    return Names(agents={ROW: word}, stacks={ROW: word}, generators={ROW: word})


def body(each: Format, event_type: str = "agent.silent", word: str = "edge-01", **data: Any) -> str:
    return render_in(each, event_id=ROW, event_type=event_type, at=AT, data=DATA | data, names=names(word))


def texts(value: Any) -> list[str]:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_every_event_type_has_a_sentence_and_no_other():
    assert SENTENCES.keys() == set(ALL_TYPES)


def test_every_event_renders_in_every_format_with_names_instead_of_ids(subtests):
    for each, event_type in product(Format, ALL_TYPES):
        with subtests.test(f"{event_type} in {each}"):
            _assert_names_instead_of_ids(each, event_type)


def _assert_names_instead_of_ids(each: Format, event_type: str) -> None:
    text = body(each, event_type)
    if each == Format.STANDARD:
        assert orjson.loads(text)["event_type"] == event_type
        return
    assert event_type in text
    assert str(ROW) not in text
    assert "{" not in "".join(texts(orjson.loads(text)) if each != Format.PLAIN else text)
    # Also with nothing but the type, as a row of the demonstration fleet or of an older release may have it.
    assert render_in(each, event_id=ROW, event_type=event_type, at=AT, data={}, names=Names())


def test_a_row_whose_name_is_not_known_is_named_by_its_id():
    text = render_in(
        Format.PLAIN, event_id=ROW, event_type="stack.deleted", at=AT, data={"stack_id": ROW}, names=Names()
    )
    assert text == f"Stack {ROW} was deleted\nstack.deleted, 2026-11-24 09:30:00 UTC\n"


def test_slack_gets_blocks_of_plain_text():
    found = orjson.loads(body(Format.SLACK))
    assert found["text"] == "Agent edge-01 is silent"
    assert [block["type"] for block in found["blocks"]] == ["section", "section", "context"]
    section, facts, foot = found["blocks"]
    assert section["text"] == {"type": "plain_text", "text": "Agent edge-01 is silent", "emoji": False}
    assert facts["fields"][0]["text"] == "Cluster: eu-1"
    assert foot["elements"][-1]["text"] == "agent.silent, 2026-11-24 09:30:00 UTC"


def test_teams_gets_an_adaptive_card_of_text_runs():
    message = orjson.loads(body(Format.TEAMS))
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {line["type"] for line in card["body"]} == {"RichTextBlock"}
    assert card["body"][0]["inlines"][0]["text"] == "Agent edge-01 is silent"
    assert "actions" not in card


def test_plain_text_is_lines():
    lines = body(Format.PLAIN, "pak.end_announced").splitlines()
    assert lines[0] == "The admin key terraform ends soon"
    assert "Ends: 2026-11-24 09:30:00 UTC" in lines


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        (Format.STANDARD, "application/json"),
        (Format.SLACK, "application/json"),
        (Format.TEAMS, "application/json"),
        (Format.PLAIN, "text/plain; charset=utf-8"),
    ],
)
def test_each_format_has_its_content_type(each, expected):
    assert content_type(each) == expected


@pytest.mark.parametrize(
    ("event_type", "path"),
    [
        ("agent.silent", f"/admin/agents/agent/{ROW}/change/"),
        ("stack.created", f"/admin/stacks/stack/{ROW}/change/"),
        ("rollout.paused", f"/admin/rollouts/rollout/{ROW}/change/"),
        ("pak.end_announced", f"/admin/paks/pak/{ROW}/change/"),
        ("audit.sealed", "/admin/"),
    ],
)
@pytest.mark.parametrize("each", PEOPLE)
def test_a_link_leads_to_the_page_when_the_public_address_is_known(settings, each, event_type, path):
    settings.PUBLIC_URL = "https://brokkr.example.com"
    about = {
        "agent.silent": {"agent_id": ROW},
        "stack.created": {"stack_id": ROW},
        "rollout.paused": {"rollout_id": ROW, "stack_id": ROW},
        "pak.end_announced": {"key_id": ROW, "agent_id": ROW},
        "audit.sealed": {},
    }[event_type]
    text = render_in(each, event_id=ROW, event_type=event_type, at=AT, data=about, names=names("n"))
    assert f"https://brokkr.example.com{path}" in text
    settings.PUBLIC_URL = ""
    assert "https://brokkr" not in render_in(
        each, event_id=ROW, event_type=event_type, at=AT, data=about, names=names("n")
    )


@pytest.mark.parametrize("each", PEOPLE)
def test_a_name_calls_nobody_and_leads_nowhere(each):
    text = body(each, "freeze.started", word=NASTY, reason=NASTY, label=NASTY)
    shown = texts(orjson.loads(text)) if each != Format.PLAIN else text.splitlines()
    for line in shown:
        assert not re.search(r"@\w|\w://(?!adaptivecards)|www\.", line.replace("http://adaptivecards.io", ""))
    if each == Format.SLACK:
        assert "<" not in orjson.loads(text)["text"]
        assert '"type":"mrkdwn"' not in text


@given(st.text(max_size=400))
@examples(max_examples=200)
def test_harmless_text_is_one_short_line_without_mentions_and_addresses(text):
    found = harmless(text)
    assert "\n" not in found
    assert "\r" not in found
    assert "://" not in found
    assert not re.search("@(?!\u200b)", found)
    # Each break is one more character.
    assert len(found.replace("\u200b", "")) <= MAX_VALUE


@pytest.mark.parametrize("event_type", ALL_TYPES)
def test_bodies_stay_within_what_receivers_accept(event_type):
    long = "\U0001f600@" * 500
    data = {name: long for name, value in DATA.items() if isinstance(value, str)}
    slack = orjson.loads(body(Format.SLACK, event_type, word=long, **data))
    for block in slack["blocks"]:
        assert len(block.get("fields", [])) <= MAX_FACTS
        assert all(len(text) <= 2000 for text in texts(block))
    assert len(slack["text"]) <= 3000
    assert len(body(Format.TEAMS, event_type, word=long, **data).encode()) < 28 * 1024
