"""Properties of the code that needs no database, for any input."""

import string
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from django.db.models import Q
from django.test import RequestFactory
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.models import AgentEvent, AgentLabel
from core.api import pagination
from core.api.etag import etag_of, names_tag, require_match
from core.api.fields import parse_uuid
from core.crypto import seal, unseal
from core.errors import InvalidQuery, PreconditionFailed
from core.validators import is_label, is_name
from stacks.models import DeploymentObject, Stack

# --- Validators -------------------------------------------------------------------------------------

# Without four separators that Python calls white space and Unicode does not.
CHARACTERS = st.characters(exclude_characters="\x1c\x1d\x1e\x1f")


@given(st.text(CHARACTERS, max_size=70))
def test_a_label_is_1_to_64_characters_without_white_space(text):
    assert is_label(text) == (1 <= len(text) <= 64 and "".join(text.split()) == text)


@given(st.text(CHARACTERS, min_size=1, max_size=64).filter(lambda text: text.split() == [text]))
def test_a_label_and_white_space_are_no_label(text):
    assert is_label(text)
    for space in (" ", "\n", "\xa0", "\u3000"):
        assert not is_label(text + space)


@given(st.text(CHARACTERS, max_size=300))
def test_a_name_is_not_blank_and_at_most_255_characters(text):
    assert is_name(text) == (text.strip() != "" and len(text) <= 255)


# --- UUIDs in paths ---------------------------------------------------------------------------------


@given(st.uuids())
def test_every_uuid_is_read_in_both_cases(value):
    assert parse_uuid(str(value)) == parse_uuid(str(value).upper()) == value
    assert parse_uuid(value.hex) is None
    assert parse_uuid(f"{{{value}}}") is None


@given(st.text(max_size=50))
def test_what_is_read_as_a_uuid_spells_it(text):
    parsed = parse_uuid(text)
    assert parsed is None or str(parsed) == text.lower()


# --- Sealing ----------------------------------------------------------------------------------------


@given(st.binary(), st.binary(min_size=16, max_size=64), st.binary(max_size=20))
def test_what_is_sealed_opens_with_its_secret_and_purpose(plain, secret, purpose):
    sealed = seal(plain, secret=secret, purpose=purpose)
    assert unseal(sealed, secret=secret, purpose=purpose) == plain
    assert seal(plain, secret=secret, purpose=purpose) != sealed
    assert len(plain) < 8 or plain not in sealed
    with pytest.raises(InvalidTag):
        unseal(sealed, secret=secret + b"x", purpose=purpose)
    with pytest.raises(InvalidTag):
        unseal(sealed, secret=secret, purpose=purpose + b"x")


@given(st.binary(max_size=50), st.data())
def test_a_changed_byte_opens_nothing(plain, data):
    sealed = bytearray(seal(plain, secret=b"s" * 32, purpose=b"p"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidTag):
        unseal(bytes(sealed), secret=b"s" * 32, purpose=b"p")


# --- Entity tags ------------------------------------------------------------------------------------


def request_with(**headers: str):
    return RequestFactory().get(
        "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@given(st.binary(), st.binary())
def test_a_tag_names_its_body_and_no_other(one, other):
    assert (etag_of(one) == etag_of(other)) == (one == other)
    assert names_tag(etag_of(one), etag_of(other)) == (one == other)


@given(st.binary(), st.lists(st.binary(), max_size=3), st.booleans())
def test_a_tag_is_found_in_any_list_also_when_it_is_weak(body, others, weak):
    prefix = "W/" if weak else ""
    header = ", ".join(f"{prefix}{etag_of(one)}" for one in [*others, body])
    assert names_tag(header, etag_of(body))
    require_match(request_with(If_Match=header), body)


@given(st.binary(), st.lists(st.binary(), min_size=1, max_size=3), st.booleans())
def test_tags_of_other_states_never_let_a_change_through(body, others, weak):
    assume(body not in others)
    prefix = "W/" if weak else ""
    header = ", ".join(f"{prefix}{etag_of(one)}" for one in others)
    with pytest.raises(PreconditionFailed):
        require_match(request_with(If_Match=header), body)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60), st.binary())
def test_no_header_of_any_form_breaks_the_comparison(header, body):
    named = etag_of(body) in header or header.strip() == "*"
    assert names_tag(header, etag_of(body)) == named
    if not named:
        with pytest.raises(PreconditionFailed):
            require_match(request_with(If_Match=header), body)


# --- Cursors ----------------------------------------------------------------------------------------

MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
WORDS = st.text(min_size=1, max_size=64).filter(lambda text: "\0" not in text)


@given(MOMENTS, st.uuids())
def test_a_cursor_of_a_moment_and_an_id_names_them_exactly(moment, identifier):
    order = ("-created_at", "-id")
    cursor = pagination._encode(AgentEvent(id=identifier, created_at=moment), order)
    assert pagination._decode(cursor, AgentEvent, order) == [moment, identifier]
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")


@given(st.integers(1, 2**63 - 1))
def test_a_cursor_of_a_sequence_names_it_exactly(sequence):
    order = ("-sequence_id",)
    cursor = pagination._encode(DeploymentObject(sequence_id=sequence), order)
    assert pagination._decode(cursor, DeploymentObject, order) == [sequence]


@given(WORDS)
def test_a_cursor_of_a_word_names_it_exactly(word):
    cursor = pagination._encode(AgentLabel(label=word), ("label",))
    assert pagination._decode(cursor, AgentLabel, ("label",)) == [word]


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_never_breaks(text):
    try:
        values = pagination._decode(text, Stack, ("created_at", "id"))
    except InvalidQuery:
        return
    assert [type(value) for value in values] == [datetime, UUID]


@given(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)))
)
def test_a_page_begins_after_the_cursor_in_every_direction(cursor, rows):
    for order in (("a", "b"), ("-a", "-b"), ("a", "-b")):
        condition = pagination._after(Stack, order, cursor)
        key = {"a": 0, "b": 1}

        def position(row, order=order, key=key):
            return tuple(-row[key[term[1:]]] if term.startswith("-") else row[key[term]] for term in order)

        kept = [row for row in rows if _holds(condition, SimpleNamespace(a=row[0], b=row[1]))]
        assert kept == [row for row in rows if position(row) > position(cursor)]


def _holds(condition: Q, row: object) -> bool:
    """What the database would say of the row."""
    results = []
    children: list[Any] = condition.children
    for child in children:
        if isinstance(child, Q):
            results.append(_holds(child, row))
        else:
            name, _, lookup = child[0].partition("__")
            mine = getattr(row, name)
            results.append({"": mine == child[1], "lt": mine < child[1], "gt": mine > child[1]}[lookup])
    return all(results) if condition.connector == Q.AND else any(results)
