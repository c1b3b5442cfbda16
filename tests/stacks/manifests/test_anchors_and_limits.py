"""Anchors, aliases, and how large and deep a text may be."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.manifests import check_manifest, checksum, reading
from tests.stacks.manifests.refusals import refusal

ROOT = Path(__file__).parents[3]


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
