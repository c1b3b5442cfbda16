"""What becomes of a delivery after an attempt, as a rule."""

from datetime import UTC, datetime, timedelta

import pytest

from webhooks.attempts import LONGEST_WAIT, is_final, is_success, next_try, parse_retry_after

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_only_2xx_is_a_success():
    assert [status for status in range(100, 600) if is_success(status)] == list(range(200, 300))


def test_4xx_is_final_but_for_time_outs_too_early_and_too_many():
    final = set(range(400, 500)) - {408, 425, 429}
    assert {status for status in range(100, 600) if is_final(status)} == final
    assert not is_final(None)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (10, 1024)])
def test_the_back_off_doubles_from_two_seconds(attempts, seconds):
    assert next_try(now=NOW, attempts=attempts) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (timedelta(seconds=90), timedelta(seconds=90)),
        (timedelta(seconds=1), timedelta(seconds=2)),
        (timedelta(0), timedelta(seconds=2)),
        (timedelta(days=400), LONGEST_WAIT),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait_within_reason(asked, waits):
    assert next_try(now=NOW, attempts=1, retry_after=asked) == NOW + waits


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("Tue, 24 Nov 2026 09:32:00 GMT", timedelta(minutes=2)),
        ("Tue, 24 Nov 2026 09:32:00 -0000", timedelta(minutes=2)),
        ("Tue, 24 Nov 2026 09:29:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 30, None),
        (f"Tue, 24 Nov {'9' * 30} 09:32:00 GMT", None),
        (f"Tue, 24 Nov 2026 09:32:00 +{'9' * 30}", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, wait):
    assert parse_retry_after(text, now=NOW) == wait
