"""No value of a Secret is in anything that viewers are shown, however it is written, and nothing else is hidden.

The texts are drawn at random: 40 here, 20,000 by `make fuzz-masks`.
"""

import os
from collections.abc import Iterator

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.admin.diff import compare, diff_table, diff_text
from plans.resources import compare_manifests
from stacks.admin.manifests import manifest_block, manifest_side
from stacks.manifests import ManifestError, read_manifest
from stacks.masking import UNREADABLE, comparable, mask_secrets, restore_secrets
from stacks.secret_values import MIN_CHARACTERS, values_of, without_values
from tests.support.secret_texts import Text, texts_with_secrets, texts_without_secrets

EXAMPLES = int(os.environ.get("BROKKR_TEST_MASKED_TEXTS", "40"))
_drawn = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def shown_to_viewers(text: str, changed: str) -> Iterator[tuple[str, str]]:
    """By where it is shown: all that is made of the text, and of a comparison with a changed one."""
    yield "export", mask_secrets(text)
    yield "page", manifest_block(text)
    sides = manifest_side(text), manifest_side(changed)
    yield "comparison", diff_table(*sides, old_title="old", new_title="new")
    yield "lines of a comparison", str(diff_text(*sides, limit=1_000))
    yield "what is compared", comparable(mask_secrets, text)
    yield "plan", str(compare_manifests(text, changed))
    try:
        yield "search", str(read_manifest(text).objects)
    except ManifestError as refusal:
        yield "refusal", str(refusal)


def is_yaml(text: str) -> bool:
    try:
        return bool(list(yaml.parse(text, Loader=yaml.CSafeLoader)))
    except yaml.YAMLError:
        return False


def changed(text: Text, *, words: str = "", values: str = "") -> str:
    """The text with other words, or other values, of the same length."""
    return text.written.replace("sh0wn", words or "sh0wn").replace("h1dd3n", values or "h1dd3n")


@_drawn
@given(texts_with_secrets())
def test_no_value_is_in_anything_that_viewers_see(text):
    assume(is_yaml(text.written))
    other = changed(text, words="sh1wn", values="h1dd4n")
    found = {where: text.found_in(answer) for where, answer in shown_to_viewers(text.written, other)}
    assert {where: cores for where, cores in found.items() if cores} == {}


@_drawn
@given(texts_with_secrets())
def test_what_hides_nothing_is_shown_and_the_masks_can_be_taken_back(text):
    assume(is_yaml(text.written))
    masked = mask_secrets(text.written)
    assert masked != UNREADABLE
    assert [word for word in text.shown if word in text.written and word not in masked] == []
    assert is_yaml(masked)
    assert restore_secrets(masked, text.written) == text.written


@_drawn
@given(texts_with_secrets())
def test_only_what_hides_a_change_is_marked_as_hidden(text):
    assume(is_yaml(text.written))
    side = manifest_side(text.written)
    same = compare(side, manifest_side(changed(text)))
    assert (same.changes, same.only_line_ends) == (0, False)
    shown = compare(side, manifest_side(changed(text, words="sh1wn")))
    assert not any(row.is_hidden for row in shown.rows)
    hidden = compare(side, manifest_side(changed(text, values="h1dd4n")))
    assert all(row.is_hidden for row in hidden.rows if row.has_changed)


@_drawn
@given(texts_with_secrets(), st.sampled_from(["refused: {}", '{{"message": "{}"}}', "{}{}"]))
def test_no_message_tells_a_value_of_its_version(text, words):
    assume(is_yaml(text.written))
    values = values_of(text.written)
    for value in text.spoken:
        for spelled in text.spellings_of(value):
            message = words.replace("{}", spelled).replace("{{", "{").replace("}}", "}")
            assert len(value) >= MIN_CHARACTERS
            assert text.found_in(without_values(message, values)) == set()


@_drawn
@given(texts_without_secrets())
def test_a_text_without_secrets_is_shown_as_it_is(text):
    assert mask_secrets(text.written) == text.written
    assert values_of(text.written) == ()
