"""Values of Kubernetes Secrets are not shown; everything else is shown as it is."""

import pytest

from stacks.masking import (
    MASK,
    UNREADABLE,
    ValueUnknown,
    comparable,
    mask_secrets,
    masked_line,
    restore_secrets,
)
from stacks.secret_places import secret_places

COPY = "kubectl.kubernetes.io/last-applied-configuration"
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
        text.replace("cGFzcw==", MASK)
        .replace("rotate me", MASK)
        .replace('"YWRtaW4="', MASK)
        .replace("postgres://u:p@h/db", MASK)
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
        f"kind: ConfigMap\nmetadata: {{annotations: {{{COPY}: 'kind: Secret, data: {{a: hidden}}'}}}}\n",
        f"x: {{metadata: {{annotations: {{{COPY}: 'kind: \\u0053ecret, data: {{a: hidden}}'}}}}}}\n",
        "kind: !!binary U2VjcmV0\ndata: {a: hidden}\n",
        "kind: !<tag:yaml.org,2002:binary> |\n  U2Vj\n  cmV0\ndata: {a: hidden}\n",
        "%TAG !t! tag:yaml.org,2002:\n---\nkind: Secret\n!t!binary ZGF0YQ==: {a: hidden}\n",
        "\ufeffkind: Secret\ndata: {a: hidden}\n",
        "é: ☃\U0001f600\nkind: Secret\ndata: {a: hidden}\n",
        "kind: ConfigMap\n---\r\nkind: Secret\r\ndata:\r\n  a: hidden\r\n",
    ],
)
def test_no_spelling_of_a_secret_shows_its_value(text):
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "fields",
    [
        "data:   # hidden\n  a: b\n",
        "data:\n  a: b # hidden\n",
        "data:\n  a: b\n  # c: hidden\n  d: e\n",
        "data:\n  a: b\n# c: hidden\ntype: Opaque\n",
        "data:\n#  c: hidden\ntype: Opaque\n",
        "data:\n  a: |\n    b\n  #c: hidden\n",
        "data: {a: b, # hidden\n  c: d} # hidden\ntype: Opaque\n",
        "data:\n  a: 'b'   # hidden \x85  c: d\n",
        "x: &v\n  a: b # hidden\ndata: *v # hidden\ntype: Opaque\n",
        "x: &v\n  a: b # hidden\ndata: {<<: *v}\n",
    ],
)
def test_no_comment_among_the_values_is_shown_and_the_lines_stay(fields):
    text = f"# of the shop\nkind: Secret # for its database\n{fields}---\n# settings\nkind: ConfigMap\n"
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert masked.startswith("# of the shop\nkind: Secret # for its database\n")
    assert masked.endswith("---\n# settings\nkind: ConfigMap\n")
    assert f"# {MASK}" in masked or f"#{MASK}" in masked or f"#  {MASK}" in masked
    assert restore_secrets(masked, text) == text
    assert masked_line(masked) is not None


def test_a_number_sign_in_a_text_begins_no_comment():
    text = "kind: Secret\nmetadata: {name: 'a # b'}\ndata:\n  'c # d': x\n  e#f: y\n"
    assert mask_secrets(text) == text.replace("x", MASK).replace("y", MASK)


def test_an_empty_comment_hides_nothing():
    text = "kind: Secret\ndata:\n  a: x #\n  #  \n"
    assert mask_secrets(text) == text.replace("x", MASK)


@pytest.mark.parametrize("kind", ["ConfigMap", "List"])
def test_a_copy_of_something_else_is_shown(kind):
    text = (
        f"kind: {kind}\nmetadata:\n  annotations:\n    {COPY}: |\n"
        '      {"kind": "ConfigMap", "data": {"a": "\\u003cb\\n\\u003e"}}\n'
    )
    assert mask_secrets(f"{text}---\nkind: Secret\n") == f"{text}---\nkind: Secret\n"


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
        'user:   "********"  # "********"'
    ]
    assert not {"root", "admin", "a2V5"} & set(" ".join([*old, *new]).replace('"', " ").split())


def test_unreadable_texts_compare_by_what_they_hide():
    first, second = "kind: Secret\ndata: {a: [", "kind: Secret\ndata: {b: ["
    assert mask_secrets(first) == mask_secrets(second) == UNREADABLE
    assert comparable(mask_secrets, first) != comparable(mask_secrets, second)
    assert "Secret" not in comparable(mask_secrets, first)


def test_masks_left_in_their_places_give_the_text_byte_for_byte():
    assert restore_secrets(mask_secrets(SECRETS), SECRETS) == SECRETS


COMMENTED = """\
kind: Secret
metadata: {name: db}
stringData: # all of them old
  a: 1 # one
  # was two
  b: 2
  # end
"""


def test_a_comment_goes_with_the_key_before_it():
    masked = mask_secrets(COMMENTED)
    assert masked == (
        COMMENTED.replace("all of them old", MASK)
        .replace("1 # one", f"{MASK} # {MASK}")
        .replace("was two", MASK)
        .replace("2\n", f"{MASK}\n")
        .replace("end", MASK)
    )
    without_b = masked.replace(f"  b: {MASK}\n  # {MASK}\n", "")
    assert restore_secrets(without_b, COMMENTED) == COMMENTED.replace("  b: 2\n  # end\n", "")
    only_b = masked.replace(f"  a: {MASK} # {MASK}\n  # {MASK}\n", "")
    assert restore_secrets(only_b, COMMENTED) == COMMENTED.replace("  a: 1 # one\n  # was two\n", "")
    with pytest.raises(ValueUnknown) as refusal:
        restore_secrets(masked.replace(f"  b: {MASK}\n", ""), COMMENTED)
    assert refusal.value.line == 6


def test_objects_of_one_name_keep_their_copies_apart():
    objects = [
        f"kind: {kind}\nmetadata:\n  name: db\n  annotations: {{{COPY}: 'a {kind} of the Secret'}}\n"
        for kind in ("Secret", "ConfigMap")
    ]
    text = "---\n".join(objects)
    assert "of the" not in mask_secrets(text)
    assert restore_secrets(mask_secrets(text), text) == text


def test_a_copy_keeps_its_place_where_nothing_else_is_about_secrets():
    text = f"kind: ConfigMap\nmetadata: {{annotations: {{{COPY}: 'kind: Secret'}}}}\n"
    masked = mask_secrets(text)
    assert "Secret" not in masked
    assert restore_secrets(masked, text) == text
    assert masked_line(masked) == 2
    with pytest.raises(ValueUnknown):
        restore_secrets(masked, "")


def test_items_of_a_list_of_secrets_that_name_their_kind_keep_their_values():
    text = "kind: SecretList\nitems:\n- kind: Secret\n  metadata: {name: db}\n  data: {a: hidden}\n"
    assert restore_secrets(mask_secrets(text), text) == text


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


def test_the_first_mask_in_a_secret_is_found_and_others_are_texts():
    assert masked_line(mask_secrets(SECRETS)) == 4
    assert masked_line('kind: ConfigMap\ndata: {a: "********"}\n') is None
    assert masked_line("a: [") is None


@pytest.mark.parametrize(
    "text",
    [
        "x: &v {" + "".join(f"k{n}: v, " for n in range(5_000)) + "}\ny:\n"
        "" + "- {kind: Secret, data: *v}\n" * 5_000,
        "x: &v {" + "".join(f"k{n}: v, " for n in range(5_000)) + "}\ny:\n"
        "" + "- {kind: Secret, data: {<<: *v}}\n" * 5_000,
        "x: &b {kind: Secret, data: {" + "".join(f"k{n}: v, " for n in range(5_000)) + "}}\ny:\n"
        "" + "- <<: *b\n" * 5_000,
        "kind: Secret\ndata:\n" + "  k: {} # hidden\n" * 20_000,
    ],
)
def test_what_many_refer_to_is_looked_at_once(text):
    assert len(secret_places(text)) <= 2 * text.count(": v,") + 2 * text.count(" # hidden")
