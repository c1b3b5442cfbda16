"""How long something takes, as people read and type it."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.admin.durations import DurationField, duration, seconds_of

pytestmark = pytest.mark.no_database
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5 min", 300),
        ("24 h", DAY),
        ("24h", DAY),
        ("1 h 30 min", 5_400),
        ("1 Day 2 hours 3m 4 sec", DAY + 7_384),
        ("90", 90),
        ("0 s", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5 h", None),
        ("5 months", None),
        ("5 min 30", None),
        ("min", None),
    ],
)
def test_a_time_is_read_with_its_units(text, seconds):
    assert seconds_of(text) == seconds


@given(st.integers(0, 400 * DAY))
def test_what_is_shown_can_be_typed(seconds):
    assert seconds_of(duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "Say how long, such as 30 s"),
        ("0 s", "It is 1 s to 365 d."),
        ("366 d", "It is 1 s to 365 d."),
    ],
)
def test_what_is_no_such_time_is_refused_in_words(text, words):
    field = DurationField(label="Proven within", least=1, most=365 * DAY, initial=DAY)
    with pytest.raises(ValidationError, match=words):
        field.clean(text)


def test_what_is_stored_is_shown_in_words_and_unchanged_when_it_is_sent_back():
    field = DurationField(label="Silent after", least=1, most=DAY, required=False)
    assert field.prepare_value(90) == "1 min 30 s"
    assert not field.has_changed(90, " 1 min 30 s")
    assert field.has_changed(90, "2 min")


def test_nothing_is_a_length_only_where_the_field_may_be_empty():
    assert DurationField(label="Silent after", least=1, most=DAY, required=False).clean(" ") is None
    with pytest.raises(ValidationError, match="required"):
        DurationField(label="Proven within", least=1, most=DAY).clean("")
