"""A long manifest is shown in parts, each masked by itself, and none takes long."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.admin.code import part_of
from stacks import masking
from stacks.admin.manifests import manifest_block
from stacks.masking import MAX_READ, UNREADABLE, hides_values, mask_part, mask_secrets
from stacks.secret_places import documents_at, secret_spans
from tests.stacks.test_masks_hold import is_yaml
from tests.support.secret_texts import texts_with_secrets

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s{0}}}\nstringData:\n  key: hunter{0}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{0}}}\ndata:\n  key: shown{0}\n"


def documents(*parts: str, times: int) -> str:
    return "---\n".join(part.format(number) for number in range(times) for part in parts)


def read_by_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that are short enough are read as a whole; here none is."""
    monkeypatch.setattr(masking, "_documents_at", documents_at)


@settings(max_examples=40)
@given(st.lists(texts_with_secrets(), min_size=1, max_size=3), st.lists(st.integers(0, 5_000), max_size=4))
def test_the_parts_are_the_masked_text_wherever_it_is_cut(texts, cuts):
    text = "\n---\n".join(each.written for each in texts)
    assume(is_yaml(text))
    spans = secret_spans(text) or []
    inside = [cut for cut in cuts if any(start < cut < end for start, end, _ in spans)]
    cuts = sorted({0, len(text), *(cut for cut in cuts if cut < len(text) and cut not in inside)})
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by_documents(monkeypatch)
        parts = [mask_part(text, start, end) for start, end in pairwise(cuts)]
    assert "".join(part or "" for part in parts) == mask_secrets(text)


@settings(max_examples=40)
@given(texts_with_secrets(), st.integers(0, 2_000), st.integers(1, 500))
def test_no_part_has_a_hidden_value(text, start, length):
    assume(is_yaml(text.written) and start < len(text.written))
    with pytest.MonkeyPatch.context() as monkeypatch:
        read_by_documents(monkeypatch)
        shown = mask_part(text.written, start, start + length)
    assert text.found_in(shown or "") == set()


@pytest.mark.parametrize(
    "text",
    [
        documents(SECRET, times=3),
        f"\ufeff{documents(SECRET, MAP, times=2)}",
        f"# above\n---\n{documents(SECRET, times=2)}...\n# between\n---\n{documents(MAP, times=1)}",
        f"%TAG !y! tag:yaml.org,2002:\n---\n{documents(SECRET, times=2)}",
        documents(SECRET, MAP, times=2).replace("\n", "\r\n"),
        documents(SECRET, MAP, times=2).replace("\n", "\r"),
        "kind: ConfigMap\ndata:\n  text: |\n    ---\n    kind: Secret\n    data: {a: hunter0}\n  more: ---\n",
    ],
)
def test_documents_that_are_read_alone_are_masked_as_in_the_whole(text, monkeypatch):
    read_by_documents(monkeypatch)
    assert mask_part(text, 0, len(text)) == mask_secrets(text)
    assert hides_values(text)


def test_a_part_that_begins_inside_of_a_value_repeats_its_mask(monkeypatch):
    read_by_documents(monkeypatch)
    text = "kind: Secret\nstringData:\n  key: |\n" + "    hunter2\n" * 9
    middle = text.index("hunter2") + 40
    assert mask_part(text, middle, len(text)) == '"********"\n'


def test_a_text_that_is_no_yaml_is_not_shown():
    text = f"{documents(SECRET, times=2)}---\na: [\n"
    assert mask_part(text, 0, 30) == UNREADABLE


def test_every_part_of_a_version_of_nothing_but_secrets_is_masked():
    text = documents(SECRET, times=MAX_READ // 60)
    assert len(text) > MAX_READ
    last = part_of(text, 10**6)
    for number in (1, last.number):
        block = manifest_block(text, number=number, pages_at="?part=")
        assert "hunter" not in block
        assert "********" in block
        assert "apiVersion" in block
    assert f"Page {last.number} of {last.number}" in manifest_block(
        text, number=last.number, pages_at="?part="
    )
    assert f'data-line="{last.first_line}"' in manifest_block(text, number=last.number)


def test_a_document_that_is_too_long_to_be_read_in_time_is_not_shown():
    text = "kind: Secret\nstringData:\n" + "  key: hunter2\n" * (MAX_READ // 15 + 100)
    block = manifest_block(text)
    assert "hunter" not in block
    assert "Not shown" in block
    assert hides_values(text)
    assert "hunter" in manifest_block(text, is_revealed=True)


def test_without_secrets_a_document_of_any_length_is_shown():
    text = "kind: ConfigMap\ndata:\n" + "  key: shown\n" * (MAX_READ // 13 + 100)
    assert re.search("Page 2 of", manifest_block(text, number=2, pages_at="?part="))
    assert "shown" in manifest_block(text, number=2)
    assert not hides_values(text)
