"""Showing YAML: nothing is lost, nothing gets through as HTML, and hostile texts cost little."""

import html
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.admin.code import (
    LINE_BREAK,
    MAX_CHARACTERS,
    MAX_LINES,
    code_block,
    coloured_lines,
    part_of,
    split_lines,
    yaml_spans,
)

TEXT = """\
# a comment
apiVersion: v1
"quoted": &name 'it''s'
list: [17, true, *name, word]
block: |
  one # no comment
  two
--- !tag
é: ☃
"""


def plain(lines: Sequence[str]) -> list[str]:
    return [html.unescape(re.sub("<[^>]*>", "", line)) for line in lines]


def classes(text: str, word: str) -> list[str]:
    line = next(line for line in coloured_lines(text, yaml_spans) if word in html.unescape(line))
    return re.findall(rf'<span class="brokkr-(\w+)">{re.escape(html.escape(word))}', line)


@pytest.mark.parametrize(
    ("word", "colour"),
    [
        ("# a comment", "comment"),
        ("apiVersion", "key"),
        ('"quoted"', "key"),
        ("&name", "name"),
        ("'it''s'", "string"),
        ("17", "constant"),
        ("true", "constant"),
        ("*name", "name"),
        ("  one # no comment", "string"),
        ("---", "mark"),
        ("!tag", "name"),
        ("é", "key"),
    ],
)
def test_what_a_reader_looks_for_has_a_colour(word, colour):
    assert colour in classes(TEXT, word)


def test_a_plain_value_has_none():
    assert classes(TEXT, "v1") == []


@pytest.mark.parametrize(
    "text", [TEXT, f"\ufeff{TEXT}", TEXT.replace("\n", "\r\n"), "a: [\nb: }", "a", "", "\n\n", "x: \x07"]
)
def test_every_line_is_shown_as_it_is(text):
    assert plain(coloured_lines(text, yaml_spans)) == split_lines(text)


@given(st.text(alphabet="a:#'\"|>-[]{},&*!%@ \n\r\t\u2028é<&\ufeff"))
def test_any_text_is_shown_as_it_is(text):
    assert plain(coloured_lines(text, yaml_spans)) == split_lines(text)


def test_a_text_cannot_bring_html():
    block = code_block("a: <script>alert(1)</script> # <b>\n'<i>': &lt;\n")
    assert not re.search("<(script|b|i)>", block)


@pytest.mark.parametrize(
    "text",
    ["%" * 200_000, "&a " * 10_000, "[" * 200_000, "- " * 10_000, '"' * 10_000, "%TAG !a! b\n" * 2_000],
)
def test_hostile_texts_are_shown(text):
    assert plain(coloured_lines(text, yaml_spans)) == split_lines(text)


def test_lines_are_numbered_and_one_can_stand_out():
    block = code_block("a: 1\nb: 2\n", marked=2)
    assert re.findall('class="([^"]*)" data-line="([^"]*)"', block) == [
        ("brokkr-line", "1"),
        ("brokkr-line brokkr-line-marked", "2"),
    ]


def test_of_a_very_long_text_the_beginning_is_shown_and_the_rest_counted():
    block = code_block("a\n" * (MAX_LINES + 1_234))
    assert block.count("data-line=") == MAX_LINES
    assert "1,234 more lines" in block


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a\n" * (2 * MAX_LINES) + "b",
        "a\r\n" * (2 * MAX_LINES),
        "\n" * (3 * MAX_LINES),
        "a line without an end " * 50_000,
        f"{'x' * (2 * MAX_CHARACTERS)}\nb\n",
        "é\u2028" * MAX_LINES + "a\x85b",
    ],
)
def test_the_parts_of_a_long_text_are_the_text_and_none_is_long(text):
    parts = [part_of(text, number) for number in range(1, part_of(text, 1).count + 1)]
    assert "".join(text[part.start : part.end] for part in parts) == text
    for part in parts:
        shown = text[part.start : part.end]
        assert len(shown) <= MAX_CHARACTERS
        assert len(split_lines(shown)) <= MAX_LINES
        assert part.first_line == 1 + len(LINE_BREAK.findall(text[: part.start]))
    assert part_of(text, 0) == parts[0]
    assert part_of(text, 99) == parts[-1]
