"""What a manifest says, apart from how it is written."""

import pytest

from stacks.contents import content_digest

PLAIN = "kind: ConfigMap\ndata:\n  a: x\n  b: [1, 2]\n"


@pytest.mark.parametrize(
    "same",
    [
        "# commit 4f2a\n" + PLAIN,
        "data:\n  b:\n  - 1\n  - 2\n  a: 'x'\nkind: \"ConfigMap\"\n",
        "---\n" + PLAIN + "---\n# nothing\n---\nnull\n",
        '{"kind": "ConfigMap", "data": {"a": "x", "b": [1, 2]}}',
        "kind: ConfigMap\ndata:\n  a: &x x\n  b: [1, 2]\n",
    ],
)
def test_comments_quotes_order_and_form_make_no_difference(same):
    assert content_digest(same) == content_digest(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("x", "y"),
        PLAIN.replace("[1, 2]", "[2, 1]"),
        PLAIN.replace("[1, 2]", '["1", 2]'),
        PLAIN.replace("a: x", "a: !other x"),
        PLAIN + "---\nkind: Secret\n",
        "- " + PLAIN.replace("\n", "\n  "),
    ],
)
def test_another_value_order_type_or_document_does(other):
    assert content_digest(other) != content_digest(PLAIN)


def test_an_alias_is_what_it_repeats():
    assert content_digest("a: &x {b: c}\nd: *x\n") == content_digest("a: {b: c}\nd: {b: c}\n")


def test_documents_are_in_their_order():
    assert content_digest("a: 1\n---\nb: 2\n") != content_digest("b: 2\n---\na: 1\n")


def test_markers_are_equal_whatever_they_say():
    assert content_digest("", is_deletion_marker=True) == content_digest("a: 1", is_deletion_marker=True)
    assert content_digest("a: 1", is_deletion_marker=True) != content_digest("a: 1")
