import pytest

from parameter_schemas import patterns as schema_patterns
from tera import limits, patterns
from tests.parameter_schemas.checking import refusal, violations_of

TOO_MUCH = ["The parameters take too much work to check against the schema."]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^\\d+$", "12", "\uff11\uff12"),
        ("^\\w+$", "a_1", "ä"),
        ("^[\\w.-]+$", "a-b.c", "a b"),
        ("^[\\w-.]+$", "a-b.c", "a b"),
        ("^[a-\\d]+$", "a-1", "b"),
        ("^[^\\W]$", "x", "-"),
        ("^\\u0041\\x42\\cJ$", "AB\n", "AB"),
        ("^\\ud83d\\ude00$", "😀", "x"),
        ("^[[&~]+$", "[&~", "a"),
        ("a.b", "axb", "a\rb"),
        ("^a$", "a", "a\n"),
        ("^(?<name>a)|\\S\\s$", "b ", " b"),
        ("^[^]{2}$", "a\n", "a"),
        ("^[]|b$", "b", "a"),
        ("^{a}$", "{a}", "a"),
        ("^a{,2}$", "aa", "aaa"),
        ("^a{b,2}$", "a{b,2}", "aa"),
        ("^a{2}$", "aa", "a"),
        ("^\\p{L}+$", "ä", "1"),
        ("\\bfoo\\b", "a foo", "afoo"),
        ("(?i)^AB$", "ab", "c"),
        ("^(?i:AB)c$", "abc", "abC"),
        ("^(?:ab)+$", "abab", "aba"),
        ("^(?:(?=a)){2}a$", "a", "b"),
        ("^(?!kube-)[a-z-]+$", "web", "kube-x"),
        ("^(?=.*\\d)\\w+$", "a1", "ab"),
        ("(?<=a)b", "ab", "cb"),
        ("(?<!a)b", "cb", "ab"),
        ("^(a|b)\\1$", "aa", "ab"),
        ("^(?<x>a|b)\\k<x>$", "bb", "ba"),
        ("^(a)?\\1b$", "b", "ab"),
        ("^(?!x).$", "y", "y\n"),
    ],
)
def test_patterns_mean_what_they_do_in_javascript(pattern, good, bad):
    assert violations_of({"pattern": pattern}, good) == []
    assert len(violations_of({"pattern": pattern}, bad)) == 1
    assert violations_of({"patternProperties": {pattern: False}}, {bad: 1}) == []
    assert len(violations_of({"patternProperties": {pattern: False}}, {good: 1})) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "[", "[a", "\\", "*", "a**", "a++", "a{2}{2}", "{1}", "a{2,1}", "[z-a]", "^*", "(?<=a)*", "(?",
        "(?>a)", "(?)", "\\1", "(a)\\2", "\\k<x>", "\\a", "\\u12", "\\p{Nothing}", "\\c1", "(" * 101 + ")" * 101,
    ],
)  # fmt: skip
def test_what_is_no_regular_expression_is_refused(pattern):
    assert refusal({"pattern": pattern})
    assert refusal({"patternProperties": {pattern: {}}})
    assert len(violations_of({"format": "regex"}, pattern)) == 1


@pytest.mark.parametrize("pattern", ["([ab]{1,1000}){1,1000}", "a" * 5000, "(?=a)([ab]{1,1000}){1,1000}"])
def test_patterns_that_are_too_large_are_refused(pattern):
    assert refusal({"pattern": pattern})
    assert refusal({"patternProperties": {pattern: {}}})


def test_an_expensive_search_in_linear_time_is_not_begun(monkeypatch):
    schema = {"pattern": "([ab]{1,6}){1,5}c"}
    assert violations_of(schema, "abc") == []
    monkeypatch.setattr(patterns, "MAX_SEARCH_WORK", 100)
    assert violations_of(schema, "abc") == TOO_MUCH


def test_a_search_that_backtracks_ends_after_its_time(monkeypatch):
    schema, text = {"pattern": "(a|b)+(?=c)"}, "ab" * 1_000 + "c"
    assert violations_of(schema, text) == []
    monkeypatch.setattr(schema_patterns, "MAX_BACKTRACKING_SECONDS", 1e-9)
    assert violations_of(schema, text) == TOO_MUCH


def test_a_search_that_backtracks_is_charged_to_the_budget(monkeypatch):
    schema, text = {"items": {"pattern": "(a|b)+(?=c)"}}, "ab" * 1_000 + "c"
    assert violations_of(schema, [text] * 20) == []
    monkeypatch.setattr(limits, "MAX_STEPS", 300)
    monkeypatch.setattr(schema_patterns, "_STEPS_PER_SECOND", 10**9)
    assert violations_of(schema, [text] * 20) == TOO_MUCH


def test_only_short_texts_are_searched_by_backtracking(monkeypatch):
    monkeypatch.setattr(schema_patterns, "MAX_BACKTRACKED_CHARACTERS", 10)
    assert violations_of({"pattern": "(?=a)"}, "a" * 10) == []
    assert violations_of({"pattern": "(?=a)"}, "a" * 11) == TOO_MUCH
    assert violations_of({"pattern": "a"}, "a" * 11) == []
