"""Texts of reports that differ only in numbers, durations, ids and hashes say the same."""

import time

import pytest

from agents.report_texts import COMPARED, essence, same_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timed out after 30s", "timed out after 1m12.5s"),
        ("pod web-7d4b9c8f6d-x2x8k is not ready", "pod web-6f5c9bdd4-bcxzq is not ready"),
        ("attempt 3 of 10", "attempt 4 of 10"),
        (
            "object 0193f0a4-11d2-7a53-9d0e-5a8c1f7b2e90 conflicts",
            "object 0193f0a5-22d2-7a53-9d0e-aabbccddeeff conflicts",
        ),
        ("digest sha256:9f86d081884c7d65 differs", "digest sha256:2c26b46b68ffc68f differs"),
        ("2026-11-28T10:00:00Z: no route", "2026-11-28T10:00:07.123456Z: no route"),
        ("dial tcp 10.0.0.1:443: refused", "dial tcp 10.0.0.12:6443: refused"),
        ("no  space\nleft", "no space left"),
    ],
)
def test_these_say_the_same(one, other):
    assert same_text(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no such image", "no such secret"),
        ("no matches for kind in apps/v1", "no matches for kind in apps/v1beta1"),
        ("Deployment default/web failed", "Deployment default/api failed"),
        ("timed out", ""),
        ("timed out", None),
        ("", None),
        ("exit code", "exit code 1"),
    ],
)
def test_these_do_not(one, other):
    assert not same_text(one, other)
    assert not same_text(other, one)


def test_no_message_is_no_message():
    assert same_text(None, None)
    assert same_text("", "")


@pytest.mark.parametrize(
    "unit", ["a", "a1", "f", "#", "-", "1-", "bcdfg-", "12345678-1234-", "0123456789abcdef"]
)
def test_a_long_text_costs_as_much_as_its_beginning(unit):
    text = unit * (200_000 // len(unit))
    begun = time.process_time()
    assert essence(text) == essence(text[:COMPARED])
    assert time.process_time() - begun < 1
