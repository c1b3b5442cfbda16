"""Texts that parse or do not, and what the refusal says."""

import pytest

from stacks.manifests import check_manifest
from tests.stacks.manifests.refusals import refusal

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


@pytest.mark.parametrize("letter", ["é", "語", "😀"])
@pytest.mark.parametrize(
    "form", ["{}: 1", "x: {{{}: 1}}", "- {}: 1", "? {}: 1", "{}   : 1", "x: {{a: b}}\n{}: 1"]
)
def test_a_key_has_at_most_1024_bytes_up_to_its_colon(letter, form):
    width = len(letter.encode())
    room = 1024 - (3 if "   :" in form else 0)
    fitting = "a" * (room % width) + letter * (room // width)
    check_manifest(form.format(fitting))
    refused = refusal(f"# a comment\n---\na: 1\n---\n{form.format(letter + fitting)}")
    assert "a key has more than 1,024 bytes" in refused.message
    assert (refused.document, refused.line) == (2, 5 + form.count("\n"))


@pytest.mark.parametrize("form", ["x: {}", "? {}\n: 1", "- {}", "# {}\nx: 1", "'x': '{}'", "x: |\n  {}: 1"])
def test_what_is_no_key_or_has_a_question_mark_may_be_longer(form):
    check_manifest(form.format("語" * 700))
