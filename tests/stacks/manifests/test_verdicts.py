"""The check beside what agents' own parser made of the same texts; `make fuzz-manifests` keeps its verdicts."""

import json

from stacks.manifests import ManifestError, check_manifest
from tests.fuzz.manifests.__main__ import VERDICTS

TEXTS = [json.loads(line) for line in VERDICTS.read_text().splitlines()]


def passes(text: str, *, strict: bool) -> bool:
    try:
        check_manifest(text, strict=strict)
    except ManifestError:
        return False
    return True


def test_there_are_texts_of_each_verdict():
    assert {verdict for _, verdict, _ in TEXTS} == {"refused", "unloadable", "loaded"}


def test_what_agents_refuse_is_refused():
    refused = [text for text, verdict, _ in TEXTS if verdict == "refused"]
    assert [text for text in refused if passes(text, strict=False)] == []


def test_what_agents_cannot_load_is_refused_while_manifests_are_strict():
    unloadable = [text for text, verdict, _ in TEXTS if verdict == "unloadable"]
    assert [text for text in unloadable if passes(text, strict=True)] == []


def test_what_agents_read_passes_while_manifests_are_lenient():
    read = [text for text, verdict, _ in TEXTS if verdict != "refused" and text.strip("\ufeff \t\r\n~")]
    stricter = [text for text in read if not passes(text, strict=False)]
    # Texts of null documents alone, and aliases that agents lead to another anchor.
    assert len(stricter) <= len(TEXTS) // 100
