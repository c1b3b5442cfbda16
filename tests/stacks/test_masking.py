"""Values of Kubernetes Secrets are not shown; everything else is shown as it is."""

import pytest

from stacks.masking import (
    MASK,
    UNREADABLE,
    ValueUnknown,
    comparable,
    mask_secrets,
    mask_template,
    masked_line,
    restore_secrets,
)

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


@pytest.mark.parametrize("metadata", ["[a, b, c]", "x", "{annotations: [a, b, c]}", "{annotations: x}"])
def test_metadata_of_another_shape_hides_nothing_and_harms_nothing(metadata):
    text = f"kind: Secret\nmetadata: {metadata}\ndata: {{a: hidden}}\n"
    assert mask_secrets(text) == text.replace("hidden", MASK)


@pytest.mark.parametrize("text", ["a: [", "kind: ConfigMap\n\tdata: x", "a: *nothing\n", "x: \x07"])
def test_a_text_that_cannot_be_read_and_is_about_no_secret_is_shown(text):
    assert mask_secrets(text) == text


SECRETS = """\
kind: Secret
metadata: {name: db, namespace: shop}
stringData:
  url: |+
    one
    two

  user:   root  # not changed
---
kind: List
items:
- kind: Secret
  metadata: {name: tls, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}}
  data: {key: a2V5, "crt": "Y3J0"}
"""


def test_equal_values_compare_equal_and_no_value_is_in_what_is_compared():
    changed = SECRETS.replace("root", "admin")
    old, new = (comparable(mask_secrets, text).splitlines() for text in (SECRETS, changed))
    different = [
        number for number, pair in enumerate(zip(old, new, strict=True), start=1) if pair[0] != pair[1]
    ]
    assert mask_secrets(SECRETS) == mask_secrets(changed)
    assert [mask_secrets(SECRETS).splitlines()[number - 1].strip() for number in different] == [
        'user:   "********"  # not changed'
    ]
    assert not {"root", "admin", "a2V5"} & set(" ".join([*old, *new]).replace('"', " ").split())


def test_unreadable_texts_compare_by_what_they_hide():
    first, second = "kind: Secret\ndata: {a: [", "kind: Secret\ndata: {b: ["
    assert mask_secrets(first) == mask_secrets(second) == UNREADABLE
    assert comparable(mask_secrets, first) != comparable(mask_secrets, second)
    assert "Secret" not in comparable(mask_secrets, first)


def test_masks_left_in_their_places_give_the_text_byte_for_byte():
    assert restore_secrets(mask_secrets(SECRETS), SECRETS) == SECRETS


def test_a_changed_text_keeps_the_values_behind_its_masks():
    edited = (
        mask_secrets(SECRETS)
        .replace("kind: List", "kind: List # edited")
        .replace('"crt": "********"', "crt: new")
    )
    restored = restore_secrets(edited, SECRETS)
    assert "key: a2V5, crt: new" in restored
    assert "    one\n    two\n" in restored


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: tls", "name: other"),
        ("key: ", "other: "),
        ("data: {", "stringData: {"),
        ("namespace: shop", "a: b"),
    ],
)
def test_a_mask_in_another_place_has_no_value(before, after):
    with pytest.raises(ValueUnknown) as refusal:
        restore_secrets(mask_secrets(SECRETS).replace(before, after, 1), SECRETS)
    assert refusal.value.line >= 4


def test_a_value_is_not_taken_out_of_a_secret_by_moving_its_mask():
    moved = 'kind: ConfigMap\nmetadata: {name: db, namespace: shop}\nstringData:\n  user: "********"\n'
    assert restore_secrets(moved, SECRETS) == moved


def test_a_place_that_is_there_twice_has_no_value():
    with pytest.raises(ValueUnknown):
        restore_secrets(mask_secrets(SECRETS), f"{SECRETS}---\n{SECRETS}")


TEMPLATE = """\
{% if tls %}
kind: Secret
metadata: {name: "{{ name }}"}
stringData:
  given: "{{ password }}"
  encoded: {{ password | b64encode }}
  literal: {{ "hunter2" | b64encode }}
  mixed: hunter3-{{ name }}
{% for key in keys %}
  {{ key }}: hunter4
{% endfor %}
{% endif %}
{# done #}
"""


def test_a_template_shows_expressions_and_hides_literal_values():
    masked = mask_template(TEMPLATE)
    assert "hunter" not in masked
    assert masked.count(MASK) == 3
    assert 'given: "{{ password }}"' in masked
    assert "encoded: {{ password | b64encode }}" in masked
    assert len(masked.splitlines()) == len(TEMPLATE.splitlines())


@pytest.mark.parametrize("source", ["kind: ConfigMap\ndata: {a: b}\n", "{{ a", "a: [{% if b %}", ""])
def test_a_template_without_secrets_is_shown_as_it_is(source):
    assert mask_template(source) == source


@pytest.mark.parametrize("kind", ["Secret", '"\\x53ecret"'])
def test_a_template_that_cannot_be_read_and_may_be_a_secret_is_hidden(kind):
    assert mask_template(f"kind: {kind}\ndata: {{a: [hunter2\n") == UNREADABLE


def test_tags_that_never_close_are_read_once():
    assert mask_template("{{" * 50_000) == "{{" * 50_000


def test_the_first_mask_in_a_secret_is_found_and_others_are_texts():
    assert masked_line(mask_secrets(SECRETS)) == 4
    assert masked_line(mask_template(TEMPLATE)) == 7
    assert masked_line('kind: ConfigMap\ndata: {a: "********"}\n') is None
    assert masked_line("a: [") is None


@pytest.mark.parametrize(
    "kind",
    [
        "{% if hidden %}Secret{% else %}ConfigMap{% endif %}",
        "{% if plain %}ConfigMap{% else %}Secret{% endif %}",
        '{{ "Secret" }}',
        "{{ 'Secret' if hidden else 'ConfigMap' }}",
    ],
)
def test_a_template_that_may_become_a_secret_counts_as_one(kind):
    source = f"kind: {kind}\nstringData:\n  token: hunter2\n"
    assert mask_template(source) == f"kind: {kind}\nstringData:\n  token: {MASK}\n"
    assert masked_line(mask_template(source)) == 3


def test_a_template_whose_other_kinds_are_made_up_is_shown_as_it_is():
    source = "kind: {{ kind }}\ndata:\n  for: Secret\n"
    assert mask_template(source) == source
