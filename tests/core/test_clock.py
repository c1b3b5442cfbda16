"""The database's clock, when the answer to the question for it was long on its way."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from core import clock


@pytest.mark.parametrize(("doubt", "is_own"), [(0, False), (1, True)])
def test_a_difference_counts_as_far_as_the_comparison_is_exact(monkeypatch, doubt, is_own):
    counter = clock._counter()
    ahead = datetime.now(UTC) - timedelta(seconds=counter) + timedelta(seconds=1.9)
    monkeypatch.setattr(clock, "is_postgresql", lambda: True)
    monkeypatch.setattr(clock, "_latest", clock._Comparison(ahead, timedelta(seconds=doubt), counter))
    before = datetime.now(UTC)
    now = clock.now()
    assert (before <= now <= datetime.now(UTC)) == is_own


@pytest.mark.requires_postgres
@pytest.mark.django_db
def test_a_comparison_is_as_exact_as_its_answer_was_quick(monkeypatch):
    counters = iter([1000.0, 1006.0])
    connection.ensure_connection()
    monkeypatch.setattr(clock, "_counter", lambda: next(counters))
    compared = clock._compare()
    assert (compared.doubt, compared.counter) == (timedelta(seconds=3), 1006.0)
