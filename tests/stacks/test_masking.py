"""Values of Kubernetes Secrets are not shown; everything else is shown as it is."""

import pytest

from stacks.masking import MASK, UNREADABLE, mask_secrets

CONFIG = """\
# Settings   of the shop
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  greeting:   "hello"  # not secret
  page: |
    <html>

    </html>
"""


def test_a_text_without_secrets_stays_byte_for_byte():
    text = f"\ufeff{CONFIG}---\r\nkind: SealedSecret\r\ndata: {{a: b}}\r\n...\n"
    assert mask_secrets(text) == text


def test_values_under_data_and_string_data_are_replaced_and_the_rest_stays():
    text = f"""\
{CONFIG}---
apiVersion: v1
kind: Secret   # of the shop
metadata:
  name: db
type: Opaque
data:
  password: cGFzcw==  # rotate me
  'user': "YWRtaW4="
  empty:
stringData:
  url:   postgres://u:p@h/db
immutable: true
"""
    assert mask_secrets(text) == (
        text.replace("cGFzcw==", MASK).replace('"YWRtaW4="', MASK).replace("postgres://u:p@h/db", MASK)
    )


@pytest.mark.parametrize("style", ["|", ">-", "|+", "|2"])
def test_a_block_of_lines_is_replaced_and_the_next_key_keeps_its_place(style):
    text = (
        f"kind: Secret\nstringData:\n  key: {style}\n    -----BEGIN\n\n    abc\n\n  other: x\ntype: Opaque\n"
    )
    masked = mask_secrets(text)
    assert "BEGIN" not in masked
    assert "abc" not in masked
    assert f"\n  other: {MASK}\ntype: Opaque\n" in masked


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "Secret", "data": {"a": "hidden"}}',
        "data: {a: hidden}\n\"kind\": 'Secret'\n",
        'kind: "\\x53ecret"\ndata: {a: hidden}\n',
        "kind: !!str Secret\ndata: !!map {a: !!str hidden}\n",
        "kind: Secret\ndata: hidden\n",
        "kind: Secret\ndata: [hidden, hidden]\n",
        "kind: Secret\ndata: {a: {b: [hidden]}}\n",
        "kind: Secret\ndata: {? a : hidden}\n",
        "kind: List\nitems:\n- kind: ConfigMap\n- kind: Secret\n  data: {a: hidden}\n",
        "kind: SecretList\nitems:\n- stringData: {a: hidden}\n",
        "kind: ConfigMap\nkind: Secret\ndata: {a: hidden}\n",
        "kind: Secret\ndata: {a: 1}\ndata: {a: hidden}\n",
        "x: &values {a: hidden}\nkind: Secret\ndata: *values\n",
        "x: &value hidden\nkind: Secret\ndata: {a: *value}\n",
        "x: &values {a: hidden}\nkind: Secret\ndata:\n  <<: *values\n  b: c\n",
        "x: &base {kind: Secret}\nitems:\n- <<: *base\n  data: {a: hidden}\n",
        "x: &base {kind: Secret, data: {a: hidden}}\ny: {<<: [*base]}\n",
        """\
kind: Secret
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"data":{"a":"hidden"}}
""",
        "\ufeffkind: Secret\ndata: {a: hidden}\n",
        "é: ☃\U0001f600\nkind: Secret\ndata: {a: hidden}\n",
        "kind: ConfigMap\n---\r\nkind: Secret\r\ndata:\r\n  a: hidden\r\n",
    ],
)
def test_no_spelling_of_a_secret_shows_its_value(text):
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert MASK in masked


def test_keys_of_a_secret_stay_readable():
    assert mask_secrets("kind: Secret\ndata: {db-password: hidden, ? [x] : hidden}\n") == (
        f"kind: Secret\ndata: {{db-password: {MASK}, ? [x] : {MASK}}}\n"
    )


def test_a_mapping_that_contains_itself_is_walked_once():
    text = "a: &a {self: *a, kind: Secret, data: {k: hidden}}\n"
    assert mask_secrets(text) == text.replace("hidden", MASK)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Secret\ndata: {a: hidden\n",
        "kind: Secret\n\tdata: hidden\n",
        "kind: Secret\ndata: {a: *nothing, b: hidden}\n",
        '{"kind": "Secret"}\n{"data": "hidden"}\n',
        "kind: Secret\ndata: {a: hid\x07den}\n",
        f"kind: Secret\ndata: {{a: hidden}}\nx: {'[' * 100_000}\n",
    ],
)
def test_a_text_that_cannot_be_read_is_hidden_as_a_whole(text):
    assert mask_secrets(text) == UNREADABLE


def test_nothing_stays_nothing():
    assert mask_secrets("") == ""


def test_references_to_references_do_not_multiply_the_work():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    text = "\n".join([*lines, "kind: Secret", "data: {a: hidden}", ""])
    assert mask_secrets(text) == text.replace("hidden", MASK)
