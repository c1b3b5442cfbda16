"""The question before a key is replaced: for how long the old one works on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from core.admin import Choice, Question, given_choice
from paks.errors import InvalidKeyOverlap

_OVERLAPS = {
    0: "at once",
    3600: "in 1 hour",
    12 * 3600: "in 12 hours",
    86400: "in 1 day",
    3 * 86400: "in 3 days",
    7 * 86400: "in 7 days",
}


def rotation_question(*, title: str, consequence: str) -> Callable[[Any], Question]:
    """The question of a page's button. It is made when it is asked, because a setting has the first choice."""

    def question(_row: Any) -> Question:
        default: int = settings.KEY_OVERLAP_SECONDS
        overlaps = _OVERLAPS | {default: _OVERLAPS.get(default, f"in {timedelta(seconds=default)}")}
        return Question(
            title=title,
            consequence=consequence,
            button="Rotate key",
            is_dangerous=True,
            choice=Choice(
                label="The old key ends",
                options=[(str(seconds), words) for seconds, words in sorted(overlaps.items())],
                first=str(default),
                help_text="Until then both work. If the old key may be in wrong hands, choose the first: then it "
                "stops working at once.",
            ),
        )

    return question


def chosen_overlap(request: HttpRequest) -> timedelta:
    """What the user has chosen; at once without a choice. Raises InvalidKeyOverlap."""
    given = given_choice(request) or "0"
    if not (given.isascii() and given.isdecimal()) or len(given) > 9:
        raise InvalidKeyOverlap
    return timedelta(seconds=int(given))
