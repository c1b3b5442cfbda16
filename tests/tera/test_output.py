import pytest

from tests.tera.rendering import render, render_error


@pytest.mark.parametrize("text", ["", "a\n", "a\n\n", "a\r\nb\r\n", "\ufeffa", "}} %} #} {", "ä\u2028\x00\n"])
def test_text_comes_out_byte_for_byte(text):
    assert render(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, ""),
        (1.0, "1"),
        (-0.0, "-0"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        (2**64 - 1, "18446744073709551615"),
        ([1, "a", None, True, {"a": 1}, [3.0]], "[1, a, , true, [object], [3]]"),
        ({"a": 1}, "[object]"),
        ("<&>", "<&>"),
    ],
)
def test_values_print_as_in_tera(value, text):
    assert render("{{ v }}", v=value) == text


def test_a_float_as_near_to_two_texts_prints_the_larger():
    assert render("{{ 900719925474099.25 }}") == "900719925474099.3"


def test_json_has_sorted_members_and_keeps_the_fraction():
    assert render("{{ v | json_encode }}", v={"b": 1.0, "a": "<ä>"}) == '{"a":"<ä>","b":1.0}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e16, "1e+16"),
        (-2.5e300, "-2.5e+300"),
        (1e15, "1000000000000000.0"),
        (1e-5, "0.00001"),
        (1e-7, "1e-7"),
    ],
)
def test_json_writes_the_sign_of_an_exponent(value, text):
    assert render("{{ v | json_encode }}", v=value) == text
    assert render("{{ '' ~ v }}", v=value) == text
    assert render("{{ __tera_context }}", v=value) == f'{{\n  "v": {text}\n}}'


def test_loops_over_objects_go_by_sorted_keys():
    assert render("{% for k, v in o %}{{ k }}{{ v }} {% endfor %}", o={"b": 1, "a": 2, "B": 3}) == "B3 a2 b1 "


def test_the_environment_of_the_server_is_not_visible(monkeypatch):
    monkeypatch.setenv("SECRET", "value")
    assert render('{{ get_env(name="SECRET", default="none") }}') == "none"


def test_trimming_takes_white_space_on_its_side_only():
    assert render("a \n{{- 1 }} \n {% set x = 1 -%} \n b {#- c #} d") == "a1 \n b d"


def test_macros_see_their_arguments_and_the_parameters_but_not_what_the_template_sets():
    macro = "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ p }}{{ s is defined }}{% endmacro %}"
    assert render(macro + "{% set s = 1 %}{{ self::m(a=1) }}", p="p") == "12pfalse"


def test_set_lasts_for_a_turn_and_set_global_beyond_the_loop():
    template = (
        "{% for x in [1, 2] %}{% set a = x %}{% set_global b = x %}{% endfor %}{{ a is defined }}{{ b }}"
    )
    assert render(template) == "false2"


def test_a_missing_include_renders_nothing_when_that_is_ignored():
    assert render('a{% include ["x", "y"] ignore missing %}b') == "ab"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("日本 node.1", "ri-ben-node-1"),
        ("Ünï cödé ß", "uni-code-ss"),
        ("ﬁne", "fine"),
        ("什么", "shen-me"),
        ("😀 smile", "grinning-smile"),
        ("١٢٣", "123"),
        ("\U0001d518\U0001d52b\U0001d526", "uni"),
        ("a\ue000b", "a-b"),
        ("Ъъ", ""),
    ],
)
def test_slugs_are_ascii(text, slug):
    assert render("{{ v | slugify }}", v=text) == slug


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (1776254400, "America/Asuncion", "08:00 -0400 -04"),
        (4102444799, "Europe/Berlin", "00:59 +0100 CET"),
        (5000000000, "Europe/Berlin", "09:53 +0100 CET"),
        (5000000000, "Australia/Sydney", "19:53 +1100 AEDT"),
        (-3777285378, "Africa/Abidjan", "09:47 -0016 LMT"),
    ],
)
def test_time_zones_are_those_of_the_original(moment, zone, text):
    assert render("{{ t | date(format='%H:%M %z %Z', timezone=z) }}", t=moment, z=zone) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (-8334601228800, "-262143-01-01"),
        ("-262143-01-01", "-262143-01-01"),
        (8210266876799, "+262142-12-31"),
        ("+262142-12-31T23:59:59", "+262142-12-31"),
    ],
)
def test_the_first_and_the_last_day_are_those_of_the_original(moment, text):
    assert render("{{ t | date }}", t=moment) == text


@pytest.mark.parametrize("moment", [-8334601228801, 8210266876800])
def test_there_is_no_day_before_and_none_after(moment):
    assert "out of range" in render_error("{{ t | date }}", {"t": moment}).message


@pytest.mark.parametrize("year", ["+10000", "-0001"])
def test_a_century_that_the_original_garbles_is_refused(year):
    assert render("{{ t | date(format='%C') }}", t="9999-12-31") == "99"
    assert "century" in render_error("{{ t | date(format='%C') }}", {"t": f"{year}-01-01"}).message
