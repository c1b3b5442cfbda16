from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workorders.backoff import LONGEST, next_retry

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("retry_count", "seconds"), [(1, 120), (2, 240), (3, 480)])
def test_each_retry_waits_twice_as_long(retry_count, seconds):
    assert next_retry(now=NOW, backoff_seconds=60, retry_count=retry_count) == NOW + timedelta(
        seconds=seconds
    )


@given(backoff=st.integers(1, 2**31 - 1), retry_count=st.integers(1, 2**31 - 1))
def test_any_stored_values_give_a_time_within_ten_years(backoff, retry_count):
    assert NOW < next_retry(now=NOW, backoff_seconds=backoff, retry_count=retry_count) <= NOW + LONGEST
