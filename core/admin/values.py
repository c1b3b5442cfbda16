"""Formats values for lists and pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from core import clock

_TONES = {
    "good": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "bad": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    "wait": "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    "quiet": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}
# How many characters of a name a table shows; core/admin.css cuts it there.
_LINE = 28


def badge(text: str, tone: str = "quiet") -> SafeString:
    """A short word on a coloured ground: good, bad, wait or quiet."""
    return format_html(
        '<span class="align-middle inline-block font-semibold rounded-default text-[11px] whitespace-nowrap h-6 '
        'leading-6 px-2 {}">{}</span>',
        _TONES[tone],
        text,
    )


def badges(words: Iterable[str]) -> SafeString | None:
    """Each word on a quiet ground; None for no words, which the admin shows as a dash."""
    shown = [badge(word) for word in words]
    return format_html('<span class="brokkr-badges">{}</span>', SafeString("".join(shown))) if shown else None


def first_badges(words: Sequence[str], shown: int = 2) -> SafeString | None:
    """The first of them as badges on one line, how many more there are, and all on hover."""
    if len(words) <= shown:
        return badges(words)
    return format_html(
        '<span class="brokkr-badges brokkr-first-badges" title="{}">{} <span>+{}</span></span>',
        ", ".join(words),
        SafeString("".join(badge(word) for word in words[:shown])),
        len(words) - shown,
    )


def age(at: datetime) -> str:
    """How long ago, in words."""
    passed = timesince(at, clock.now(), depth=1)
    return "just now" if passed.startswith("0") else f"{passed} ago"


def ago(at: datetime | None) -> SafeString | None:
    """How long ago, with the exact time on hover."""
    if at is None:
        return None
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", age(at)
    )


def moment(at: datetime | None) -> SafeString | None:
    """How long ago and, where the order matters, the time itself."""
    if at is None:
        return None
    now = clock.now()
    exact = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%b %-d, %H:%M:%S}"
    return format_html('<span>{} <span class="brokkr-exact">{} UTC</span></span>', ago(at), exact)


def one_line(text: str) -> SafeString:
    """A name in a table, on one line. A long name is cut and shown whole on hover."""
    return format_html('<span class="brokkr-one-line"{}>{}</span>', _hover(text), text)


def _hover(text: str) -> SafeString:
    return format_html(' title="{}"', text) if len(text) > _LINE else SafeString("")


def shortened(text: str | None, shown: int = 120) -> SafeString | None:
    """The beginning of a text, and the whole text on hover. None stays None, which the admin shows as a dash."""
    if not text:
        return None
    if len(text) <= shown:
        return format_html('<span class="brokkr-message">{}</span>', text)
    return format_html('<span class="brokkr-message" title="{}">{}…</span>', text, text[:shown])


def whole_number(text: str | None) -> int | None:
    """The number that a query names; None if it names none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def counted(number: int, noun: str) -> str:
    """The number with the noun, whose plural ends with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def preformatted(text: str) -> SafeString:
    """A text of several lines, as it is."""
    return format_html('<pre class="brokkr-preformatted" tabindex="0">{}</pre>', text)


def link(url_name: str, text: object, *args: object, query: Mapping[str, object] | None = None) -> SafeString:
    """A link to an admin page, by the page's name."""
    url = reverse(f"admin:{url_name}", args=args) + (f"?{urlencode(query)}" if query else "")
    return format_html('<a href="{}" class="text-link"{}>{}</a>', url, _hover(str(text)), text)


def object_link(model: type[Model], row_id: UUID | None, text: str) -> SafeString | str:
    """A link to a row's page when the admin has one, else the text."""
    try:
        return link(f"{model._meta.app_label}_{model._meta.model_name}_change", text, row_id)
    except NoReverseMatch:
        return text
