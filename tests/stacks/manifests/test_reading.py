"""What may be stored as a manifest, what may not, and what the refusal says."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stacks.manifests import ManifestError, check_manifest, checksum, reading

ROOT = Path(__file__).parents[3]

CONFIG_MAP = """\
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
  labels: {app.kubernetes.io/name: shop, "app.kubernetes.io/version": "1.10"}
data:
  nginx.conf: |
    server {
    \tlisten 8080;  # a tab inside a block scalar is text
      location / { proxy_pass http://backend:8080; }
    }
  greeting: >-
    Hello,
    world: & welcome
  run.sh: |2-
      #!/bin/sh
    echo "a: b: c" && exit 0
  empty: ""
  nothing:
---
apiVersion: v1
kind: Secret
metadata: {name: shop}
data:
  token: !!binary aGVsbG8=
"""

CUSTOM_RESOURCE_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.shop.example.com
spec:
  group: shop.example.com
  names: {kind: Widget, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [name, parts]
              properties:
                name: {type: string, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$'}
                type: {type: string, enum: ["", small, large]}
                properties:
                  type: object
                  additionalProperties: {type: string}
                parts:
                  type: array
                  items:
                    type: object
                    properties:
                      name:
                        description: |-
                          The part's name.

                          More info: https://example.com/docs#names
                        type: string
                      weight:
                        anyOf: [{type: integer}, {type: string}]
                        x-kubernetes-int-or-string: true
"""

SHARED_BY_ANCHORS = """\
x-labels: &labels
  app: shop
  tier: web
x-resources: &resources
  limits: &limits {cpu: 500m, memory: 512Mi}
  requests: *limits
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels:
    <<: *labels
    tier: overridden
spec:
  selector: {matchLabels: *labels}
  template:
    metadata: {labels: *labels}
    spec:
      containers:
        - &web
          name: web
          image: &image registry.example.com/shop@sha256:0123
          resources: *resources
        - <<: [*web, {name: worker}]
          image: *image
"""


def refusal(text: str, *, allow_blank: bool = False) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        check_manifest(text, allow_blank=allow_blank)
    return caught.value


@pytest.mark.parametrize("text", ["", " ", "\n", " \r\n\t\n", "\ufeff", "\ufeff\n"])
class TestABlankText:
    def test_is_refused(self, text):
        assert str(refusal(text)) == "The manifest is blank; only a deletion marker may be."

    def test_is_fine_for_a_deletion_marker(self, text):
        check_manifest(text, allow_blank=True)


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\na: 2", "a: *b", "# only a comment", "---\n---", "\f", "\x1f\n"]
)
def test_a_deletion_marker_that_is_not_blank_keeps_all_the_rules(text):
    assert str(refusal(text, allow_blank=True)) == str(refusal(text))


def test_a_deletion_marker_may_hold_a_manifest():
    check_manifest(CONFIG_MAP, allow_blank=True)


@pytest.mark.parametrize("text", [CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, SHARED_BY_ANCHORS])
class TestAKubernetesManifest:
    def test_passes(self, text):
        check_manifest(text)

    def test_passes_with_the_line_endings_of_windows(self, text):
        check_manifest(text.replace("\n", "\r\n"))

    def test_passes_as_one_document_of_many(self, text):
        check_manifest(f"---\n{text}\n---\n# nothing\n---\n{text}...\n")


@pytest.mark.parametrize(
    "text",
    [
        "two words",
        "- a\n- b",
        "a: 1",
        "[]",
        "{}",
        '""',
        "'null'",
        "0",
        "false",
        "!Ref",
        "!Ref thing",
        "a: !Sub\n  - ${B}\n  - B: !GetAtt c.d",
        "a: =",
        "a: 2024-02-31",
        "a: !!timestamp never",
        "a: .nan",
        "%YAML 1.2\n---\na: 1",
        "%TAG !e! tag:example.com,2024:\n---\n!e!thing a",
        '{"kind": "List", "items": [null, 1.5, "\\u0000"]}',
        "a: 😀 \u00a0 \u2028",
        "{{ .Values.name }}",
    ],
)
def test_a_document_may_have_any_shape(text):
    check_manifest(text)


@pytest.mark.parametrize(
    "text",
    ["---\n---", "---", "null", "~\n---\nNull", "&a", "!!null null", "# comment\n\n# more"],
)
def test_a_text_of_nothing_but_null_documents_is_refused(text):
    assert str(refusal(text)).startswith("The manifest has no content")


@pytest.mark.parametrize("text", ["---\n---\na", "a\n---\n", "# comment\n---\n---\n[]\n---\n"])
def test_one_document_that_is_not_null_is_enough(text):
    check_manifest(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "Document 1, line 1: this is not YAML: mapping values are not allowed in this context."),
        ("a: [1, 2}", "Document 1, line 1: this is not YAML: did not find expected ',' or ']'."),
        ("image: @name", "Document 1, line 1: a value cannot begin with '@'; put it in quotes."),
        ("a: 1\n...\nb: 2", "Document 2, line 3: this is not YAML: did not find expected <document start>."),
    ],
)
def test_a_syntax_error_is_explained_with_its_place(text, message):
    assert str(refusal(text)) == message


def test_a_syntax_error_tells_where_the_faulty_part_began():
    error = refusal("a: 1\n---\nb: 2\nc:\n  - d\n e: f\n")
    assert (error.document, error.line) == (2, 6)
    assert str(error).endswith(
        "did not find expected key while parsing a block mapping that began on line 3."
    )


def test_a_syntax_error_at_the_end_is_on_the_last_line_that_has_text():
    assert refusal("a:\n  - [1, 2\n\n\n").line == 2


@pytest.mark.parametrize(
    "text", ["a:\n\tb: 1", "a: 1\n\tb: 2", "a: |\n\ttext", "a:\n  - b\n\t- c", "a:\n \t b: c"]
)
def test_a_tab_as_indentation_is_refused_in_plain_words(text):
    error = refusal(text)
    assert "a tab stands where YAML allows only spaces" in str(error)
    assert error.document == 1
    assert error.line == text[: text.index("\t")].count("\n") + 1


@pytest.mark.parametrize(
    "text", ["a:\tb", "a: b\t# comment", "a: |\n  b\n  \tc", "[\n\ta,\n\tb\n]", 'a: "\tb"']
)
def test_a_tab_elsewhere_passes(text):
    check_manifest(text)


@pytest.mark.parametrize(
    ("character", "name"),
    [("\0", "U+0000"), ("\x1b", "U+001B"), ("\x7f", "U+007F"), ("\ud800", "U+D800"), ("\ufffe", "U+FFFE")],
)
@pytest.mark.parametrize("head", ["", "a: 1\r\n\n", "".join(f"k{n}:\n" for n in range(20_000))])
def test_a_character_that_yaml_forbids_is_named_with_its_line(head, character, name):
    error = refusal(f"{head}b: {character}\n")
    assert error.line == head.count("\n") + 1
    assert error.document is None
    assert str(error) == f"Line {error.line}: the character {name} is not allowed in YAML; remove it."


@pytest.mark.parametrize("escape", [r"\0", r"\x1b", r"\e", r"\uFFFE"])
def test_a_forbidden_character_may_be_written_as_an_escape(escape):
    check_manifest(f'a: "{escape}"')


def test_a_tag_that_is_not_utf_8_is_refused():
    assert str(refusal("a\n--- !%ED%A0%80 b")) == "Document 2: a tag is not valid UTF-8."


@pytest.mark.parametrize(
    "text", ["# comment\na: 1\nb: 2\n", '{"a": 1,\n"b": 2}', "a: 1", "\n---\na: 1\nb: 2"]
)
def test_a_byte_order_mark_passes_where_it_indents_nothing(text):
    check_manifest("\ufeff" + text)


@pytest.mark.parametrize("text", ["a: 1\nb: 2\n", "- a\n- b\n", "%YAML 1.2\n---\na: 1\n"])
def test_a_byte_order_mark_is_refused_where_agents_would_take_it_for_indentation(text):
    check_manifest(text)
    assert "Remove the byte order mark at the start" in str(refusal("\ufeff" + text))


def test_a_byte_order_mark_does_not_move_lines():
    assert refusal("\ufeff# comment\na: 1\na: 2\n").line == 3


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


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: *b", 1), ("a: *b\nb: &b 1", 1), ("a: &b 1\n---\na: *b", 3), ("- a\n- *b : c", 2)],
)
def test_an_alias_without_an_anchor_before_it_is_refused(text, line):
    error = refusal(text)
    assert "the alias *b has no anchor before it in the same document." in str(error)
    assert error.line == line


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a\n  b:\n    - *a", "&a {b: [{*a : c}]}"])
def test_an_alias_inside_what_it_repeats_is_refused(text):
    assert "the alias *a stands inside the very node it repeats." in str(refusal(text))


def test_an_anchor_may_be_given_again():
    check_manifest("- &a 1\n- *a\n- &a [2]\n- *a")
    check_manifest("&a [&a b, *a]")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- &a 1\n- &a 2\n- &b 3\n- *a", 4),
        ("- &a 1\n- &a 2\n- *a\n- &b 3", 4),
        ("- &a 1\n- &a 2\n- *a\n- &a 3", 4),
        ("- &a 1\n- &a 2\n- &b\n  - *a", 4),
    ],
)
def test_an_alias_that_agents_lead_to_another_anchor_is_refused(text, line):
    error = refusal(text)
    assert error.line == line
    assert "follows an anchor whose name was given before, and agents take one for the other" in error.message


def test_an_anchor_that_shares_the_number_of_another_passes_while_no_alias_is_led_astray():
    check_manifest("- &a 1\n- &a 2\n- &b 3\n- *b")
    check_manifest("- &a 1\n- &a 2\n- &a 3\n- *a")


def bomb(levels: int, width: int) -> str:
    lines = ["l0: &l0 lol"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


@pytest.mark.parametrize(("levels", "width"), [(9, 9), (30, 2), (90, 3), (3, 1000)])
def test_aliases_that_multiply_without_bound_are_refused(levels, width):
    assert re.search("parts, aliases followed|aliases repeat more than", str(refusal(bomb(levels, width))))


def test_aliases_that_multiply_beyond_what_agents_follow_are_refused():
    error = refusal("a: 1\n---\n" + bomb(5, 9))
    assert str(error) == "Document 2: its aliases multiply each other; write some of them out."


def test_aliases_that_multiply_a_little_pass():
    check_manifest(bomb(3, 9))


def test_a_block_that_hundreds_of_aliases_repeat_passes():
    block = ", ".join(f"k{n}: v" for n in range(40))
    check_manifest(f"base: &base {{{block}}}\nitems:\n" + "  - *base\n" * 500)


def test_aliases_may_repeat_a_long_text_a_few_times_only(monkeypatch):
    monkeypatch.setattr(reading, "MAX_REPEATED_CHARACTERS", 5_000)
    text = f"- &a {'x' * 1_000}\n- &b [*a, *a]\n"
    check_manifest(text + "- *b\n")
    assert "aliases repeat more than 5,000 characters of text." in str(refusal(text + "- *b\n- *b\n"))


def test_anchors_and_aliases_are_limited_in_number(monkeypatch):
    monkeypatch.setattr(reading, "MAX_NAMES", 10)
    text = "- &a [b]\n- &c d\n" + "- *a\n" * 4 + "- *c\n" * 4
    check_manifest(text)
    error = refusal(text + "- *a\n")
    assert str(error) == "Document 1, line 11: the manifest has more than 10 anchors and aliases."


def test_depth_counts_through_aliases():
    chain = "- &l1 [x]\n" + "".join(f"- &l{n} [*l{n - 1}]\n" for n in range(2, reading.MAX_DEPTH))
    check_manifest(chain)
    deeper = chain + f"- [*l{reading.MAX_DEPTH - 1}]\n"
    assert "nested more than 100 levels deep" in str(refusal(deeper))


def nested(levels: int) -> list[str]:
    return [
        "[" * levels + "]" * levels,
        "{a: " * levels + "}" * levels,
        "- " * levels + "a",
        "? " * levels + "a",
        "".join(f"{' ' * n}a:\n" for n in range(levels)),
    ]


@pytest.mark.parametrize("text", nested(reading.MAX_DEPTH))
def test_a_hundred_levels_pass(text):
    check_manifest(text)


@pytest.mark.parametrize("text", nested(reading.MAX_DEPTH + 1))
def test_a_hundred_and_one_levels_are_refused(text):
    assert "nested more than 100 levels deep, which agents cannot read." in str(refusal(text))


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: ", "[&a "])
def test_a_hundred_thousand_levels_are_refused_and_the_process_lives(opening):
    program = (
        "import sys; from stacks.manifests import *\n"
        "try: check_manifest(sys.argv[1] * 100_000)\n"
        "except ManifestError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, opening], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "levels deep" in done.stdout


@pytest.mark.parametrize(
    "text", ["[a, b, c, d]", "{a: b, c: d}", "- [a]\n- [b]", "&a [b, c]\n--- [d]", "[&a [b], *a]"]
)
def test_the_parts_of_a_text_are_limited_aliases_followed(monkeypatch, text):
    parts = {
        "[a, b, c, d]": 8,
        "{a: b, c: d}": 8,
        "- [a]\n- [b]": 10,
        "&a [b, c]\n--- [d]": 11,
        "[&a [b], *a]": 10,
    }
    monkeypatch.setattr(reading, "MAX_EVENTS", parts[text] + 1)
    check_manifest(text)
    monkeypatch.setattr(reading, "MAX_EVENTS", parts[text] - 1)
    assert "parts, aliases followed" in str(refusal(text))


def test_ten_mebibytes_of_text_in_a_config_map_pass():
    check_manifest("kind: ConfigMap\ndata:\n  a: |\n" + "    some text: [of, a, file\n" * 380_000)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_tag_directives_are_limited_in_length(line_break):
    directives = "".join(f"%TAG !t{n}! tag:example.com,2024:{line_break}" for n in range(100))
    check_manifest(f"{directives[: len(directives) // 5]}".rpartition("%")[0] + "---\na")
    assert "%TAG directives exceed 1,000 characters" in str(refusal(directives + "---\na"))


def test_a_text_about_tag_directives_passes():
    check_manifest("a: |\n" + "  %TAG !e! tag:example.com,2024:\n" * 1_000 + "b: 1%TAG\n")


def test_the_checksum_is_the_lower_case_sha_256_of_the_text_as_received():
    assert checksum("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for text in ("a: 1\n", "a: 1\r\n", "\ufeffa: ü 😀\n", " \n"):
        assert checksum(text) == hashlib.sha256(text.encode("utf-8")).hexdigest()


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


@settings(deadline=None)
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


@settings(deadline=None)
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


@settings(deadline=None)
@given(data=json_like(st.characters(exclude_categories=["Cs"])), style=st.sampled_from([None, False, True]))
def test_what_yaml_dumps_passes(data, style):
    check_manifest(yaml.safe_dump(data, default_flow_style=style))
    check_manifest(yaml.safe_dump_all([None, data, {"again": data}], allow_unicode=True, sort_keys=False))


@settings(deadline=None)
@given(data=json_like(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])))
def test_what_json_dumps_passes(data):
    check_manifest(json.dumps(data))


def test_a_character_in_two_json_escapes_is_refused_as_agents_would_refuse_it():
    check_manifest(json.dumps("😀", ensure_ascii=False))
    assert str(refusal(json.dumps({"a": "😀"}))) == (
        "Document 1, line 1: agents read no character that is written as two escapes, such as \\ud83d\\ude00; "
        "write it in UTF-8."
    )
