"""What Tera 1.20.1 itself printed or refused, for about a thousand templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from tera import TemplateRenderError, TemplateSyntaxError, compile_template

CORPUS = Path(__file__).parents[1] / "data" / "tera_corpus.jsonl"
CASES = [json.loads(line) for line in CORPUS.read_text().splitlines()]

# Quirks of Tera that are not copied, and those that are: see test_quirks.py.
NOT_COPIED = {
    "filters-on-literals-ignored-in-condition",
    "not-on-comparison-applied-twice",
    "not-before-parenthesised-logic-is-a-parse-error",
    "not-dropped-inside-parens",
    "ident-starting-with-true/false-is-a-parse-error",
}


def is_copied(case: dict[str, Any]) -> bool:
    return not NOT_COPIED.intersection(case.get("quirk", [])) and case["id"] != "undefined-053"


def renders_or_fails_as_in_tera(case: dict[str, Any]) -> None:
    if case.get("phase") == "parse":
        with pytest.raises(TemplateSyntaxError):
            compile_template(case["template"])
    elif case.get("error"):
        with pytest.raises((TemplateSyntaxError, TemplateRenderError)):
            compile_template(case["template"]).render(case["context"])
    else:
        assert compile_template(case["template"]).render(case["context"]) == case["expect"]


def test_a_template_renders_or_fails_as_in_tera(subtests):
    for case in filter(is_copied, CASES):
        with subtests.test(case["id"]):
            renders_or_fails_as_in_tera(case)


def test_only_known_quirks_are_left_out():
    left_out = [case for case in CASES if not is_copied(case)]
    assert all(case.get("quirk") for case in left_out)
    assert len(left_out) == 15
