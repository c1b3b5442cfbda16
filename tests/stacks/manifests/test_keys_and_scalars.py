"""Which keys are equal to agents, and which values they cannot read."""

import pytest

from stacks.manifests import check_manifest
from tests.stacks.manifests.refusals import refusal


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "{a: 1, b: 2, a: 3}",
        "a: 1\n'a': 2",
        'a: 1\n"\\x61": 2',
        "? |-\n  a\n: 1\na: 2",
        "spec:\n  items:\n    - {name: x}\n    - {name: x, name: y}",
        "? {a: 1, a: 2}\n: b",
        "1: a\n1: b",
        "true: a\nTrue: b",
        "~: a\nnull: b\n",
        "?\n: a\n~: b",
        "yes: a\n'yes': b",
        "2024-01-01: a\n'2024-01-01': b",
        "!!str a: 1\na: 2",
        "!!str 1: a\n'1': b",
        "1: a\n0x1: b",
        "1: a\n+1: b",
        "0: a\n-0: b",
        "1.2: a\n1.20: b",
        "0.0: a\n-0.0: b",
        ".inf: a\n+.Inf: b",
        ".nan: a\n.NaN: b",
        "0b11: a\n0o3: b",
        "!<!!x> a: 1\n!x a: 2",
        "? [a]\n: 1\n? [a]\n: 2",
        "? [1, {a: b, c: d}]\n: 1\n? [0x1, {c: d, a: b}]\n: 2",
        "? {a: b}\n: 1\n? {a: b}\n: 2",
        "&d [e]: 1\n? *d\n: 2",
        "a: &d {b: [c]}\n? *d\n: 1\n? {b: [c]}\n: 2",
        "<<: {a: 1}\n<<: {b: 1}",
        "!!int 1: a\n1: b",
        "!x a: 1\n!x a: 2",
        "&k a: 1\n*k : 2",
        "a: &k b\nc: {*k : 1, b: 2}",
    ],
)
def test_a_key_may_not_be_repeated_in_a_mapping(text):
    assert "is already in this mapping" in str(refusal(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nA: 2",
        "a: {a: {a: 1}}",
        "- {a: 1}\n- {a: 1}",
        "a: 1\n---\na: 2",
        "a: a\nb: a",
        "1: a\n'1': b",
        "1: a\n1.0: b\n01: c\n0x2: d",
        "1_0: a\n10: b",
        "! a: 1\na: 2",
        "? [a]\n: 1\n? {a: a}\n: 2\n? []\n: 3\n? {}\n: 4",
        "? [a, b]\n: 1\n? [b, a]\n: 2",
        "? [[a]]\n: 1\n? [a]\n: 2",
        "? !x [a]\n: 1\n? [a]\n: 2",
        "true: a\n'true': b",
        "~: a\n'~': b\n'': c",
        "a: 1\n!x a: 2\n!y a: 3",
        "[a]: 1\n[b]: 2",
        "a: &k b\n*k : c",
        "a: [b, b]",
    ],
)
def test_keys_that_differ_or_stand_in_different_mappings_pass(text):
    check_manifest(text)


def test_a_repeated_key_is_named_with_its_place():
    error = refusal("a: 1\n---\nspec:\n  replicas: 1\n  image: x\n  replicas: 2\n")
    assert (error.document, error.line) == (2, 6)
    assert error.message == "Document 2, line 6: the key 'replicas' is already in this mapping."


def test_a_long_repeated_key_is_cut_short():
    assert len(str(refusal(f"? {'a' * 5000}\n: 1\n? {'a' * 5000}\n: 2\n"))) < 200


def test_a_repeated_list_as_a_key_is_named_with_the_line_on_which_it_begins():
    error = refusal("? [a,\n  b]\n: 1\n? [a,\n  b]\n: 2\n")
    assert error.message == "Document 1, line 4: the key that begins here is already in this mapping."


def test_what_is_merged_is_not_compared_with_the_keys_beside_it():
    check_manifest("- &a {x: 1, y: 2}\n- &b {x: 3}\n- {<<: *a, x: 4}\n- {<<: [*a, *b], x: 4}")


@pytest.mark.parametrize(
    "number",
    [
        "18446744073709551616",
        "20240101123456789012345",
        "340282366920938463463374607431768211455",
        "-9223372036854775809",
        "-170141183460469231731687303715884105728",
        "0x10000000000000000",
        "0o2000000000000000000000",
        "0b1" + "0" * 64,
        "-0x8000000000000001",
        "+18446744073709551616",
    ],
)
@pytest.mark.parametrize(
    "text", ["a: 1\n---\nb:\n  - {}", "a: 1\n---\nb:\n  c: {}", "a: 1\n---\nb:\n  {}: c"]
)
def test_an_integer_of_more_than_64_bits_is_refused_with_its_place(text, number):
    error = refusal(text.replace("{}", number))
    assert (error.document, error.line) == (2, 4)
    assert "does not fit into 64 bits, and agents refuse the whole text; put it in quotes." in error.message


@pytest.mark.parametrize(
    "value",
    [
        "18446744073709551615",
        "-9223372036854775808",
        "0xffffffffffffffff",
        "'18446744073709551616'",
        "!!str 18446744073709551616",
        "0000000000000000000000018446744073709551616",
        "1844674407370955161_6",
        "18446744073709551616.0",
        "340282366920938463463374607431768211456",
        "0x100000000000000000000000000000000",
        "-170141183460469231731687303715884105729",
        "9" * 5000,
        "1e400",
    ],
)
def test_other_numbers_and_texts_of_digits_pass(value):
    check_manifest(f"a: {value}\n? {value}\n: b")


@pytest.mark.parametrize(
    ("value", "core"),
    [
        ('"08"', "int"),
        ("1.0", "int"),
        ("a", "int"),
        ("''", "int"),
        ("yes", "bool"),
        ("1", "bool"),
        ("x", "null"),
        ("", "null"),
        ("''", "null"),
        ("a", "float"),
        ("1e400", "float"),
    ],
)
@pytest.mark.parametrize("text", ["a:\n  b: {}", "a:\n  - {}", "a:\n  ? {}\n  : b"])
def test_a_value_that_its_tag_does_not_fit_is_refused_with_its_place(text, value, core):
    error = refusal(text.replace("{}", f"!!{core} {value}"))
    assert (error.document, error.line) == (1, 2)
    assert f"is not what its tag !!{core} says, and agents refuse the whole text" in error.message


@pytest.mark.parametrize(
    "value",
    [
        "!!int 0x1",
        "!!int '1'",
        "!!bool True",
        "!!null ~",
        "!!float 1",
        "!!float 08",
        "!!str 1",
        "!!timestamp x",
        "!x 08",
    ],
)
def test_a_value_that_its_tag_fits_passes(value):
    check_manifest(f"a: {value}\n? {value}\n: b")
