"""The text of keys, for any parts."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paks.services import new_token
from paks.tokens import Token, base58, generate_token, split_token

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PUBLISHED_KEY = "brokkr_BR3rVsDa_GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8"
PUBLISHED_HASH = "4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd"
parts = st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=40)


def test_the_published_key_has_the_published_hash():
    token = split_token(PUBLISHED_KEY)
    assert token == Token("brokkr", "BR3rVsDa", "GK3QN7CDUzYc6iKgMkJ98M2WSimM5t6U8")
    assert token.hash == PUBLISHED_HASH


def test_a_new_key_has_the_published_form():
    token = new_token()
    assert token.prefix == "brokkr"
    assert token.short.startswith("BR")
    assert len(token.short) == 8
    assert 30 <= len(token.long) <= 33
    assert set(token.short[2:] + token.long) <= set(BASE58)
    assert split_token(token.text) == token


@given(parts, parts, parts)
def test_three_parts_are_put_together_and_taken_apart(prefix, short, long):
    token = Token(prefix, short, long)
    assert split_token(token.text) == token
    assert token.hash == hashlib.sha256(long.encode()).hexdigest()


@given(st.text())
def test_what_is_taken_apart_is_the_text(text):
    token = split_token(text)
    if token is None:
        assert text.count("_") != 2 or text.endswith("_") or text.split() != [text] or "\0" in text
    else:
        assert token.text == text
        assert len(token.hash) == 64


@given(st.lists(parts, max_size=6).filter(lambda words: len(words) != 3))
def test_another_number_of_parts_is_no_key(words):
    assert split_token("_".join(words)) is None


@pytest.mark.parametrize(
    "text", ["", "_", "__", "a__", "a_b_", "a_b_c_", "_a_b_c", "a b_c_d", "a_b_c\n", "Basic a_b_c"]
)
def test_these_are_no_keys(text):
    assert split_token(text) is None


@given(st.text(min_size=1).filter(lambda text: "_" not in text and text.split() == [text]))
def test_the_prefix_and_the_short_token_do_not_change_the_hash(long):
    assert Token("a", "b", long).hash == Token("c", "d", long).hash


@given(st.integers(4, 32), st.integers(16, 64), st.sampled_from(["", "B", "BR", "BROKKR"]))
def test_a_key_of_any_configured_form_reads_back(short_length, long_bytes, short_prefix):
    token = generate_token(
        prefix="brokkr", short_prefix=short_prefix, short_length=short_length, long_bytes=long_bytes
    )
    assert split_token(token.text) == token
    if short_prefix:
        assert token.short.startswith(short_prefix[:short_length])
        assert len(token.short) <= short_length


def test_no_two_keys_are_the_same():
    assert len({new_token().text for _ in range(1000)}) == 1000


@given(parts)
def test_the_repr_of_a_key_does_not_show_its_secret(word):
    assert f"secret{word}" not in repr(Token("brokkr", "BR", f"secret{word}"))


@given(st.binary(max_size=70))
def test_base58_can_be_read_back(data):
    text = base58(data)
    assert set(text) <= set(BASE58)
    zeros = len(text) - len(text.lstrip("1"))
    number = 0
    for digit in text[zeros:]:
        number = number * 58 + BASE58.index(digit)
    assert bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big") == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\0", "1"),
        (b"\0\0a", "112g"),
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
    ],
)
def test_base58_agrees_with_published_examples(data, text):
    assert base58(data) == text
