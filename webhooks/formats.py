"""The bodies that webhooks send: the event itself for programs, or a message that a chat accepts for people. Pure.

A message has names that anybody may have chosen. `harmless` takes from them what could call people or lead away, and
each format puts them where the receiver looks for no markup.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from html import escape
from typing import Any, Final

import orjson

# Slack takes 10 fields in a section and 3,000 characters in a text; Teams takes 28 KB in all.
MAX_FACTS: Final = 10
MAX_VALUE: Final = 200
# Invisible. Behind it, what would be a mention or an address is none.
_BREAK: Final = "\N{ZERO WIDTH SPACE}"
_LINK_WORDS: Final = "Open in Brokkr"
# Of these categories no character is shown, but some change how others are.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Format(StrEnum):
    """`standard` is the event as JSON. The others are for people."""

    STANDARD = "standard"
    SLACK = "slack"
    TEAMS = "teams"
    PLAIN = "plain"


JSON_TYPE: Final = "application/json"
CONTENT_TYPES: Final = {Format.PLAIN: "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a message. The label is ours, the value may be anybody's."""

    label: str
    value: str

    @property
    def line(self) -> str:
        return f"{self.label}: {self.value}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told to people. Its texts are harmless and short; `link` is "" or leads into the admin."""

    title: str
    facts: Sequence[Fact]
    event_type: str
    at: datetime
    link: str = ""

    @property
    def foot(self) -> str:
        return f"{self.event_type}, {moment_words(self.at)}"


def content_type(format: str) -> str:  # noqa: A002  # the word of the wire
    """The Content-Type of a body of this format."""
    return CONTENT_TYPES.get(Format(format), JSON_TYPE)


def body_of(notice: Notice, format: Format) -> str:  # noqa: A002
    """The body for people, in any format but `standard`."""
    match format:
        case Format.SLACK:
            return _json(_slack(notice))
        case Format.TEAMS:
            return _json(_teams(notice))
        case _:
            return _plain(notice)


def harmless(text: str) -> str:
    """The text on one line, at most MAX_VALUE characters of it, without what receivers take for a mention or a link."""
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in text)
    words = " ".join(seen.split())
    if len(words) > MAX_VALUE:
        words = words[: MAX_VALUE - 1] + "…"
    for sign, broken in (
        ("@", f"@{_BREAK}"),
        ("://", f":{_BREAK}//"),
        ("www.", f"www{_BREAK}."),
        ("mailto:", f"mailto{_BREAK}:"),
    ):
        words = words.replace(sign, broken)
    return words


def moment_words(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _slack(notice: Notice) -> dict[str, Any]:
    """Block Kit. Names are in texts of the type `plain_text`, in which Slack looks for no markup."""
    blocks: list[dict[str, Any]] = [{"type": "section", "text": _slack_text(notice.title)}]
    if notice.facts:
        fields = [_slack_text(fact.line) for fact in notice.facts[:MAX_FACTS]]
        blocks.append({"type": "section", "fields": fields})
    foot: list[dict[str, Any]] = [_slack_text(notice.foot)]
    if notice.link:
        foot.insert(0, {"type": "mrkdwn", "text": f"<{notice.link}|{_LINK_WORDS}>"})
    blocks.append({"type": "context", "elements": foot})
    # What notifications show. It is markup, in which Slack wants &, < and > escaped as in HTML.
    return {"text": escape(notice.title, quote=False), "blocks": blocks}


def _slack_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _teams(notice: Notice) -> dict[str, Any]:
    """A message with an adaptive card. Names are in text runs, which have no markup, unlike text blocks."""
    body = [_teams_line(notice.title, weight="Bolder", size="Medium")]
    body += [_teams_line(fact.line) for fact in notice.facts[:MAX_FACTS]]
    body.append(_teams_line(notice.foot, isSubtle=True, size="Small"))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": _LINK_WORDS, "url": notice.link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _teams_line(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _plain(notice: Notice) -> str:
    lines = [notice.title, *(fact.line for fact in notice.facts[:MAX_FACTS]), notice.foot]
    if notice.link:
        lines.append(notice.link)
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
