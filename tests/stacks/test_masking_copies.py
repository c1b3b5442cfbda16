"""Secrets in annotations, in texts and in comments on lines of their own are hidden too."""

import pytest

from stacks.masking import (
    MASK,
    TEXT_MASK,
    ValueUnknown,
    mask_secrets,
    mask_template,
    masked_line,
    restore_secrets,
)

COPY = "kubectl.kubernetes.io/last-applied-configuration"
APPLIED = '{"kind":"Secret","stringData":{"p":"hidden"}}'


@pytest.mark.parametrize(
    "name",
    [
        COPY,
        "kapp.k14s.io/original",
        "kapp.k14s.io/original-diff",
        "objectset.rio.cattle.io/applied",
        "k8s.brokkr.io/last-config-applied",
        "banzaicloud.com/last-applied",
        "example.com/lastAppliedConfiguration",
        "openshift.io/token-secret.value",
        "example.com/password",
    ],
)
@pytest.mark.parametrize("value", [f"'{APPLIED}'", "hidden", "H4sIAhiddenAAAA=", "|\n      hidden\n"])
def test_what_tools_keep_in_annotations_of_a_secret_is_hidden(name, value):
    text = f"kind: Secret\nmetadata:\n  name: s\n  annotations:\n    a: shown\n    {name}: {value}\ntype: Opaque\n"
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert "a: shown" in masked
    assert restore_secrets(masked, text) == text


def test_a_compressed_annotation_of_a_secret_is_hidden_by_any_name():
    text = "kind: Secret\nmetadata: {annotations: {example.com/state: H4sIAhidden, b: shown}}\n"
    assert mask_secrets(text) == text.replace("H4sIAhidden", MASK)


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  s.yaml: |\n    kind: Secret\n    stringData:\n      p: hidden\n  other: shown\n",
        f"kind: ConfigMap\nmetadata: {{annotations: {{example.com/any: '{APPLIED}'}}}}\ndata: {{other: shown}}\n",
        f"kind: Pod\nspec: {{containers: [{{args: [-c, '{APPLIED}']}}], other: shown}}\n",
        'kind: A\nx: "kind: S\\u0065cret\\ndata: {p: hidden}"\nother: shown\n',
        'kind: A\nx: |\n  {"kind": "\\u0053ecret", "data": {"p": "hidden"}}\nother: shown\n',
        "kind: A\nx: |\n  kind: B\n  data:\n    y: |\n      kind: Secret\n      data: {p: hidden}\nother: shown\n",
        "kind: A\nx: |\n  kind: Secret\n  data: {p: hidden\nother: shown\n",
        "kind: A\nx: |\n  kind: List\n  items:\n  - kind: Secret\n    data: {p: hidden}\nother: shown\n",
    ],
)
def test_a_text_that_holds_a_secret_is_hidden_as_a_whole(text):
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert TEXT_MASK in masked
    assert "other: shown" in masked
    assert restore_secrets(masked, text) == text
    assert masked_line(masked) is not None


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  a: |\n    This Secret is kept in the database: see [1\n",
        "kind: ConfigMap\ndata:\n  a: |\n    kind: SecretStore\n    data: {a: b}\n",
        "kind: ConfigMap\ndata:\n  a: |\n    kind: Role\n    rules: [{resources: [Secret], data: b}]\n",
        "kind: ConfigMap\ndata: {a: Secret data}\n",
    ],
)
def test_a_text_about_secrets_that_holds_none_is_shown(text):
    assert mask_secrets(text) == text


def test_the_mask_of_a_text_in_another_place_has_no_value():
    base = f"kind: ConfigMap\ndata:\n  a: '{APPLIED}'\n  b: shown\n"
    with pytest.raises(ValueUnknown):
        restore_secrets(f"kind: ConfigMap\ndata:\n  a: x\n  b: {TEXT_MASK}\n", base)


def test_a_template_hides_a_text_that_holds_a_secret():
    source = (
        "kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n    data: {p: hidden, q: {{ q }}}\n  b: {{ b }}\n"
    )
    assert mask_template(source) == f"kind: ConfigMap\ndata:\n  a: {TEXT_MASK}\n  b: {{{{ b }}}}\n"


@pytest.mark.parametrize(
    "text",
    [
        "kind: Secret\n# was: hidden\nstringData: {p: x}\n",
        "kind: Secret\nmetadata:\n  name: s\n# was: hidden\n\n# and: hidden\nstringData: {p: x}\n",
        "kind: Secret\n  # was: hidden\nmetadata:\n  # is: hidden\n  name: s\n",
        "a: b\n---\n# was: hidden\n# and: hidden\nstringData: {p: x}\nkind: Secret\n",
        "kind: List\nitems:\n- kind: Secret\n  # was: hidden\n  stringData: {p: x}\n",
    ],
)
def test_comments_on_lines_of_their_own_in_a_secret_are_hidden(text):
    masked = mask_secrets(text)
    assert "hidden" not in masked
    assert restore_secrets(masked, text) == text


def test_comments_outside_of_a_secret_are_shown():
    text = "# Source: a\n\n# of the shop\nkind: Secret # here\nstringData: {p: x}\n---\n# after\nkind: ConfigMap\n"
    assert mask_secrets(text) == text.replace("x}", f"{MASK}}}")


def test_a_secret_among_documents_that_hold_none_is_hidden_at_its_place():
    other = "# Secret notes\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: The Secret of it}\n"
    secret = "# above\nkind: Secret\nmetadata: {name: s}\n# was: old\ndata: {p: hidden} # old\n"
    text = f"\ufeff{other}---\n{secret}...\n---\n{other}---\n{secret}"
    hidden = secret.replace("hidden", MASK).replace("was: old", MASK).replace("# old", f"# {MASK}")
    assert mask_secrets(text) == f"\ufeff{other}---\n{hidden}...\n---\n{other}---\n{hidden}"
