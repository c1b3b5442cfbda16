"""Literal values that a template may put into a Kubernetes Secret are not shown."""

import pytest

from stacks.masking import (
    MASK,
    UNREADABLE,
    mask_template,
    masked_line,
)

COPY = "kubectl.kubernetes.io/last-applied-configuration"
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
    assert masked.count(MASK) == 4
    assert masked.endswith(f"{{# {MASK} #}}\n")
    assert 'given: "{{ password }}"' in masked
    assert "encoded: {{ password | b64encode }}" in masked
    assert len(masked.splitlines()) == len(TEMPLATE.splitlines())


def test_the_first_mask_in_a_template_is_found():
    assert masked_line(mask_template(TEMPLATE)) == 7


@pytest.mark.parametrize("source", ["kind: ConfigMap\ndata: {a: b}\n", "{{ a", "a: [{% if b %}", ""])
def test_a_template_without_secrets_is_shown_as_it_is(source):
    assert mask_template(source) == source


@pytest.mark.parametrize("kind", ["Secret", '"\\x53ecret"'])
def test_a_template_that_cannot_be_read_and_may_be_a_secret_is_hidden(kind):
    assert mask_template(f"kind: {kind}\ndata: {{a: [hunter2\n") == UNREADABLE


def test_tags_that_never_close_are_read_once():
    assert mask_template("{{" * 50_000) == "{{" * 50_000


@pytest.mark.parametrize(
    "kind",
    [
        "{% if hidden %}Secret{% else %}ConfigMap{% endif %}",
        "{% if plain %}ConfigMap{% else %}Secret{% endif %}",
        '{{ "Secret" }}',
        "{{ 'Secret' if hidden else 'ConfigMap' }}",
        "{{ kind }}",
        '"{{ kind }}"',
        "{{- kind -}}",
        "{{ prefix }}ret",
        "Sec{# #}ret",
        "Sec{% if hidden %}ret{% endif %}",
        "!!binary {{ encoded }}",
    ],
)
def test_a_template_that_may_become_a_secret_counts_as_one(kind):
    source = f"kind: {kind}\nstringData:\n  token: hunter2\n"
    assert mask_template(source) == f"kind: {kind}\nstringData:\n  token: {MASK}\n"
    assert masked_line(mask_template(source)) == 3


@pytest.mark.parametrize(
    "source",
    [
        "kind:\n  {{ kind }}\ndata:\n  token: hunter2\n",
        "x: &kind {{ kind }}\ny:\n  kind: *kind\n  data: {token: hunter2}\n",
        "kind: List\nitems:\n{% for name in names %}\n- kind: {{ kind }}\n  data: {token: hunter2}\n{% endfor %}\n",
        "kind: {{ kind }}\nitems:\n- data: {token: hunter2}\n",
        "ki{# #}nd: Sec{# #}ret\nda{# #}ta:\n  token: hunter2\n",
        "kind: Secret\n{{ field }}:\n  token: hunter2\n",
        f"metadata: {{annotations: {{{COPY}: 'hunter2 {{{{ x }}}}'}}}}\n---\nkind: {{{{ kind }}}}\n",
    ],
)
def test_what_tags_make_up_is_taken_for_a_secret(source):
    masked = mask_template(source)
    assert "hunter2" not in masked
    assert masked.count(MASK) == 1
    assert len(masked.splitlines()) == len(source.splitlines())


def test_a_template_whose_kinds_are_plain_is_shown_as_it_is():
    source = (
        "kind: ConfigMap\nmetadata: {name: '{{ name }}'}\ndata: # kind {{ x }}\n  for: Secret # {{ y }}\n"
    )
    assert mask_template(source) == source


@pytest.mark.parametrize(
    "source", ["kind: {{ kind }}\ndata: {a: [hunter2\n", '{"kind": {{ kind }}, "a": [\n']
)
def test_a_template_that_cannot_be_read_and_makes_up_its_kind_is_hidden(source):
    assert mask_template(source) == UNREADABLE


def test_comments_of_a_template_are_hidden_line_by_line_but_for_expressions():
    source = """\
kind: Secret {# of the shop #}
stringData: {#- hunter1 -#}
  a: b {# hunter2
    hunter3 {{ c }}
  #}
  # hunter4 {{ d }}
  # {{ e }}
"""
    masked = mask_template(source)
    assert (
        masked
        == f"""\
kind: Secret {{# of the shop #}}
stringData: {{#- {MASK} -#}}
  a: {MASK} {{# {MASK}
    {MASK}
  #}}
  # {MASK}
  # {{{{ e }}}}
"""
    )
    assert masked_line(masked) == 2


def test_a_comment_in_the_text_of_an_expression_is_none():
    source = 'kind: ConfigMap\nx: {{ "{#" }}\n---\nkind: Secret\ndata: {a: hunter2}\n'
    assert mask_template(source) == source.replace("hunter2", MASK)


@pytest.mark.parametrize(
    "giving",
    [
        '{% set token = "hunter2" %}',
        "{% set_global token = `hunter2` %}",
        "{% set other = 'hunter2' %}{% set token = other | trim %}",
        '{% set token = given | default(value="hunter2") %}',
        '{% if token == "hunter2" %}{% endif %}',
        '{{ token | default(value="hunter2") }}: x',
        '{% for token in ["hunter2"] %}{% endfor %}',
        '{% macro token(a="hunter2") %}{% endmacro %}',
    ],
)
def test_a_text_in_a_tag_is_hidden_where_it_may_get_into_a_secret(giving):
    secret = "kind: Secret\nstringData:\n  token: {{ token }}\n"
    source = f"# {{{{ kind_of }}}}\n{giving}\n---\n{secret}"
    masked = mask_template(source)
    assert "hunter2" not in masked
    assert masked.endswith(secret)
    assert masked_line(masked) == 2


def test_texts_in_tags_that_get_into_no_secret_are_shown():
    source = (
        '{% set image = "shown" %}{% if mode == "shown" %}{% endif %}\n'
        "kind: Secret\nstringData:\n  token: {{ token | replace(from=`a`, to=`b`) }}\n"
        "---\nkind: ConfigMap\ndata: {a: '{{ image | replace(from=`shown`, to=`b`) }}'}\n"
    )
    masked = mask_template(source)
    assert masked.count("shown") == source.count("shown")
    assert masked.count(MASK) == 1
