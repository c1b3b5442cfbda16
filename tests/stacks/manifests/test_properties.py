"""What holds of any text."""

import json

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from stacks.manifests import ManifestError, check_manifest
from tests.stacks.manifests.refusals import refusal


def json_like(characters: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    # YAML takes no key of more than 1,024 characters before its colon, and an escape is six of them.
    key, text = st.text(characters, max_size=100), st.text(characters)
    leaves = (
        st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | text
    )
    inner = st.recursive(
        st.none() | leaves, lambda inner: st.lists(inner) | st.dictionaries(key, inner), max_leaves=20
    )
    return inner.filter(lambda data: data is not None)


YAMLISH = st.text(alphabet=" \n\t-:?[]{},&*!|>'\"#%@~<=.ab01\ufeff\x85\0\ud800", max_size=60)
SNIPPETS = st.lists(
    st.sampled_from(
        [
            "a",
            "b: ",
            "- ",
            "? ",
            ": ",
            "\n",
            "\n  ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&x ",
            "*x ",
            "!t ",
            "---\n",
            "...\n",
            "~",
        ]
    ),
    max_size=25,
).map("".join)


@given(text=st.text() | YAMLISH | SNIPPETS, allow_blank=st.booleans())
def test_any_text_passes_or_is_refused_with_a_manifest_error(text, allow_blank):
    try:
        check_manifest(text, allow_blank=allow_blank)
    except ManifestError as caught:
        error = caught
    else:
        return
    assert error.document is None or error.document >= 1
    assert error.line is None or 1 <= error.line <= len(text.splitlines())
    assert error.message == str(error)
    assert error.message.endswith(".")


@given(text=YAMLISH | SNIPPETS)
def test_a_text_that_passes_can_be_composed_into_documents_that_are_not_all_null(text):
    try:
        check_manifest(text)
    except ManifestError:
        return
    try:
        nodes = list(yaml.compose_all("\ufeff" + text, Loader=yaml.CSafeLoader))
    except yaml.composer.ComposerError as error:
        # The composer keeps to YAML 1.1 here; since YAML 1.2 an anchor may be given again.
        assume("duplicate anchor" not in str(error))
        raise
    assert any(node.tag != "tag:yaml.org,2002:null" for node in nodes)


@given(data=json_like(st.characters(exclude_categories=["Cs"])), style=st.sampled_from([None, False, True]))
def test_what_yaml_dumps_passes(data, style):
    check_manifest(yaml.safe_dump(data, default_flow_style=style))
    check_manifest(yaml.safe_dump_all([None, data, {"again": data}], allow_unicode=True, sort_keys=False))


@given(data=json_like(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])))
def test_what_json_dumps_passes(data):
    check_manifest(json.dumps(data))


def test_a_character_in_two_json_escapes_is_refused_as_agents_would_refuse_it():
    check_manifest(json.dumps("😀", ensure_ascii=False))
    assert str(refusal(json.dumps({"a": "😀"}))) == (
        "Document 1, line 1: agents read no character that is written as two escapes, such as \\ud83d\\ude00; "
        "write it in UTF-8."
    )
