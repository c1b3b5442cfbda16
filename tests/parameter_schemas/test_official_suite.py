"""The official test suite of JSON Schema. What is missed is listed, with the reason."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parameter_schemas import inspection, keywords, violations
from parameter_schemas.drafts import DRAFTS
from parameter_schemas.formats import FORMATS

SUITE = Path(__file__).parents[1] / "data" / "json_schema_suite"
NAMES = {
    "draft4": "http://json-schema.org/draft-04/schema",
    "draft6": "http://json-schema.org/draft-06/schema",
    "draft7": "http://json-schema.org/draft-07/schema",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

# All keywords of a draft count, whatever vocabularies the meta-schema of a schema names.
VOCABULARIES = {("vocabulary", "no validation: invalid number, but it still validates")}
REQUIRED_MISSES = {
    "draft4": set(),
    "draft6": set(),
    "draft7": set(),
    "draft2019-09": VOCABULARIES,
    "draft2020-12": VOCABULARIES,
}
# International host names follow IDNA 2003, as Python does, whose rules on characters beside each other are fewer.
HOSTS = {
    ("idn-hostname", test)
    for test in (
        "Begins with a Nonspacing Mark",
        "Begins with a Spacing Combining Mark",
        "Begins with an Enclosing Mark",
        "Exceptions that are DISALLOWED, left-to-right chars",
        "Greek KERAIA not followed by Greek",
        "Greek KERAIA not followed by anything",
        "Hebrew GERESH not preceded by anything",
        "Hebrew GERSHAYIM not preceded by anything",
        "KATAKANA MIDDLE DOT with no Hiragana, Katakana, or Han",
        "KATAKANA MIDDLE DOT with no other characters",
        "MIDDLE DOT with no following 'l'",
        "MIDDLE DOT with no preceding 'l'",
        "MIDDLE DOT with nothing following",
        "MIDDLE DOT with nothing preceding",
        'U-label contains "--" in the 3rd and 4th position',
        "ZERO WIDTH JOINER not preceded by Virama",
        "ZERO WIDTH JOINER not preceded by anything",
        "contains illegal char U+302E Hangul single dot tone mark",
        "illegal first char U+302E Hangul single dot tone mark",
        "invalid Punycode",
    )
}
FORMAT_MISSES = {
    "draft4": set(),
    "draft6": set(),
    "draft7": HOSTS,
    "draft2019-09": HOSTS,
    "draft2020-12": HOSTS,
}


def rows(name: str) -> list[Any]:
    return [json.loads(line) for line in (SUITE / f"{name}.jsonl").read_text().splitlines()]


def misses(draft: str, part: str) -> Iterator[tuple[str, str]]:
    """The tests of which the answer is another, each as its file and description."""
    for case in rows(draft):
        schema = case["schema"]
        if case["part"] != part or (part == "required" and case["file"] == "format"):
            continue
        if isinstance(schema, dict):
            schema = {"$schema": NAMES[draft], **schema}
        for description, data, is_valid in case["tests"]:
            if (violations(json.dumps(schema), data) == []) is not is_valid:
                yield case["file"], description


@pytest.fixture
def remotes(monkeypatch):
    """The documents that the suite refers to, as if they shipped with the meta-schemas."""
    specification = DRAFTS[NAMES["draft2020-12"]].specification
    resources = [(uri, specification.create_resource(contents)) for uri, contents in rows("remotes")]
    monkeypatch.setattr(inspection, "META_SCHEMAS", inspection.META_SCHEMAS.with_resources(resources))


@pytest.mark.usefixtures("remotes")
@pytest.mark.parametrize("draft", NAMES)
def test_required_tests_pass(draft):
    assert set(misses(draft, "required")) == REQUIRED_MISSES[draft]


@pytest.mark.parametrize("draft", NAMES)
def test_tests_of_formats_pass(draft):
    assert set(misses(draft, "format")) == FORMAT_MISSES[draft]


@pytest.mark.parametrize("draft", NAMES)
def test_formats_are_only_annotations_where_they_are_not_asserted(draft, monkeypatch):
    # The suite asks for that in one file; the broker asserts them in every draft.
    monkeypatch.setattr(keywords, "FORMATS", dict.fromkeys(FORMATS, lambda _text: True))
    for case in rows(draft):
        if (case["part"], case["file"]) != ("required", "format"):
            continue
        for _, data, is_valid in case["tests"]:
            schema = {"$schema": NAMES[draft], **case["schema"]}
            assert (violations(json.dumps(schema), data) == []) is is_valid
