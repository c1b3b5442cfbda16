"""Hides the values of a manifest's Secrets in what agents say of it."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Final

import yaml
from cachetools import LRUCache
from django.db.models import Case, F, TextField, Value, When

from stacks.located_yaml import from_base64
from stacks.models import DeploymentObject
from stacks.secret_places import MASKED, has_more_to_search, secret_places

# Shorter values occur in any text.
MIN_CHARACTERS: Final = 6
_MAX_KEPT_CHARACTERS: Final = 16 * 1024 * 1024
# Messages about versions with more characters of documents with Secrets are not shown: finding the values would take
# seconds for each message.
MAX_SEARCHED: Final = 1_000_000
NOT_SHOWN: Final = "(not shown: the version has too many values of Secrets to look for them in it)"
# How deep manifests in texts of manifests are read.
_MAX_TEXTS: Final = 3

_URL_SAFE: Final = str.maketrans("+/", "-_")

_WITH_INDENT: Final = re.compile(r"(?:[!&]\S*\s+)*[|>][+-]?[1-9]")

# By the checksum of the manifest, so that they are never another manifest's.
_kept: LRUCache[str, tuple[str, ...] | None] = LRUCache(
    _MAX_KEPT_CHARACTERS, getsizeof=lambda values: 100 + sum(map(len, values or ()))
)
# The checksums of versions that were asked for lately: what the next query need not read.
_checksums: LRUCache[int, str] = LRUCache(10_000)
_lock = Lock()


def values_of(text: str) -> tuple[str, ...]:
    """The values of MIN_CHARACTERS or more that a manifest hides, the longest first.

    Each is there as it is written, as it is read, in base64 and out of it, by lines, and as a part of a text in JSON.
    """
    found = {each for written in _written_in(text, _MAX_TEXTS) for each in _readings(written)}
    spelled = {each for value in found for each in (value, *_in_json(value))}
    return tuple(sorted((each for each in spelled if len(each) >= MIN_CHARACTERS), key=len, reverse=True))


def without_values(message: str, values: Sequence[str]) -> str:
    """The message with a mask in place of each of the values that `values_of` returned."""
    for value in values:
        message = message.replace(value, MASKED)
    return message


def without_secrets(said: Iterable[tuple[int, str | None]]) -> list[str]:
    """Messages, each given with the sequence id of its version, with a mask in place of each value of its Secrets.

    One query, or none if nobody says anything. No message is an empty one. In place of a message about a version with
    too many values (MAX_SEARCHED) is NOT_SHOWN.
    """
    messages = [(sequence_id, message or "") for sequence_id, message in said]
    values = _values({sequence_id for sequence_id, message in messages if message})
    return [
        NOT_SHOWN if message and known is None else without_values(message, known or ())
        for message, known in ((message, values.get(sequence_id, ())) for sequence_id, message in messages)
    ]


def _values(sequence_ids: set[int]) -> dict[int, tuple[str, ...] | None]:
    """By version, its values; None if there are too many."""
    if not sequence_ids:
        return {}
    with _lock:
        asked = {_checksums[each] for each in sequence_ids if each in _checksums}
        known = {checksum: _kept[checksum] for checksum in asked if checksum in _kept}
        is_known = all(_checksums.get(each) in known for each in sequence_ids)
    unread = When(yaml_checksum__in=list(known), then=Value(""))
    rows = DeploymentObject.objects.filter(pk__in=sequence_ids).values_list(
        "pk", "yaml_checksum", Case(unread, default=F("yaml_content"), output_field=TextField())
    )
    found = {}
    # One after the other, because a manifest may have megabytes.
    for sequence_id, checksum, text in rows.iterator(chunk_size=2_000 if is_known else 1):
        if checksum not in known:
            known[checksum] = None if has_more_to_search(text, MAX_SEARCHED) else values_of(text)
        found[sequence_id] = known[checksum]
        _keep(sequence_id, checksum, known[checksum])
    return found


def _keep(sequence_id: int, checksum: str, values: tuple[str, ...] | None) -> None:
    with _lock:
        _checksums[sequence_id] = checksum
        if _kept.getsizeof(values) <= _kept.maxsize:
            _kept[checksum] = values


def _written_in(text: str, depth: int) -> Iterable[str]:
    """The hidden parts of a manifest as they are written, and those of the manifests in them."""
    for _, (start, end) in secret_places(text):
        before = text[text.rfind("\n", 0, start) + 1 : start]
        written = text[start:end].strip()
        if _WITH_INDENT.match(written):
            # How far it is indented counts from the key before it.
            written = f"{before[: len(before) - len(before.lstrip(' -'))].replace('-', ' ')}k: {written}"
        elif "\n" in written:
            written = f"{' ' * len(before)}{written}"
        yield written
        if depth:
            for value in _scalars(written):
                yield from _written_in(value, depth - 1)
                yield from _written_in(from_base64(value), depth - 1)


def _readings(written: str) -> Iterable[str]:
    """What is written, the values in it, what they say in base64, and each line of that."""
    yield written
    for value in _scalars(written):
        decoded = from_base64(value)
        for text in (value, decoded):
            yield from _in_base64(text) if len(text) >= MIN_CHARACTERS else ()
            yield text.strip()
            yield from (line.strip() for line in text.splitlines())


def _scalars(written: str) -> list[str]:
    """The values in a part of a manifest."""
    try:
        events = list(yaml.parse(written, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return []
    return [event.value for event in events if isinstance(event, yaml.ScalarEvent)]


def _in_base64(text: str) -> Iterable[str]:
    """How base64 spells it, alone or after any number of other bytes, in both alphabets."""
    encoded = text.encode()
    for before in range(3):
        spelled = b64encode(b"x" * before + encoded).decode()
        # The first and the last character may also depend on what is around.
        found = spelled[(0, 2, 3)[before] : (before + len(encoded)) * 8 // 6]
        yield from {found, found.translate(_URL_SAFE)}


def _in_json(value: str) -> Iterable[str]:
    """How JSON spells it, if it does so in another way, without the quotes."""
    return (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
