"""Behaviours of Tera that look like mistakes: copied where text would change silently, else mended."""

import pytest

from tera import compile_template
from tests.tera.rendering import render, render_error, syntax_error


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ arr | length * 2 + 1 }}", "6"),
        ("{{ m | default(value=10) / 5 * 2 }}", "1"),
        ("{{ a - 1 | abs - 1 - 1 }}", "4"),
    ],
)
def test_arithmetic_after_a_filter_is_grouped_first(template, text):
    assert render(template, arr=[1, 2], a=5) == text


def test_not_before_a_comparison_negates_its_value_where_tera_ignores_it():
    assert (
        render("{{ not a == 5 }}{% set x = not a > 9 %}{{ x }}{{ [not a == 5] }}", a=5) == "falsetrue[false]"
    )


def test_not_before_a_comparison_in_output_is_logged(caplog):
    caplog.set_level("INFO", logger="tera")
    compile_template("a\n {{ not a == 5 }}")
    assert "line 2, column 5" in caplog.text


def test_not_before_a_comparison_in_a_condition_is_not_logged(caplog):
    caplog.set_level("INFO", logger="tera")
    compile_template("{% if not a == 5 %}{% endif %}")
    assert caplog.text == ""


def test_not_in_parentheses_negates():
    assert render("{% if (not x) and y %}both{% else %}no{% endif %}", x=True, y=True) == "no"


def test_not_before_parentheses_negates():
    assert render("{{ not (a == 5) }} {{ not (a and b) }}", a=5, b=False) == "false true"


def test_a_number_is_neither_equal_nor_unequal_to_anything_else():
    assert render("{{ a == s }} {{ a != s }} {{ n != 0 }}", a=5, s="5", n=None) == "false false false"


def test_neither_is_the_negation_of_that_comparison_as_a_condition():
    assert render("{% if not a == s %}yes{% else %}no{% endif %}", a=5, s="5") == "no"


def test_a_filter_that_fails_makes_the_condition_of_a_variable_false():
    assert render("{% if s | round %}y{% else %}n{% endif %}", s="x") == "n"
    assert render("{% if not s | round %}y{% else %}n{% endif %}", s="x") == "n"


def test_an_unknown_filter_is_refused_even_in_a_condition():
    assert "nosuch" in syntax_error("{% if s | nosuch %}{% endif %}").message


def test_names_may_begin_with_true_and_false():
    assert render("{{ true_flag }}{{ falsey }}", true_flag=1, falsey=2) == "12"


def test_white_space_control_does_not_reach_the_else_of_a_loop():
    assert render("{% for x in e %}a{%- else -%} b {%- endfor %}|", e=[]) == " b |"


def test_a_concatenated_float_variable_keeps_its_fraction_and_a_literal_does_not():
    assert render('{{ "a" ~ g }} {{ "a" ~ 2.0 }}', g=2.0) == "a2.0 a2"


def test_membership_tells_integers_from_floats():
    assert render("{{ 3.0 in a }} {{ 3 in a }}", a=[3]) == "false true"


def test_a_path_that_a_set_variable_lacks_is_looked_up_further_out():
    assert render("{% set o = 3 %}{{ o.k }}", o={"k": "v"}) == "v"


def test_the_one_definition_of_a_block_is_rendered_wherever_its_name_stands():
    template = "{% block a %}1{% endblock %}{% if true %}{% block a %}2{% endblock %}{% endif %}"
    assert render(template) == "11"


def test_comments_before_everything_else_do_not_trim():
    assert render("{# a -#}  x{# b -#}  y") == "  xy"


def test_break_in_the_else_of_a_loop_leaves_the_loop_around_it():
    inner = "{% for x in [] %}{% else %}{% break %}{% endfor %}"
    assert render("{% for y in [1, 2] %}1" + inner + "2{% endfor %}3") == "13"
    assert "must stand in a loop" in render_error(inner).message
