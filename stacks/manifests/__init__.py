"""Manifests: the rules for a text before it is stored and given to agents. Pure.

`reading` reads the text once and keeps some of its `nodes`; `syntax` refuses wrong texts. `scalars` tells how agents
and kubectl read each value, `objects` checks Kubernetes objects, and `findings` are the results. `contents`
collects the objects and their `images`; `kinds` is what is known of the built-in kinds.
"""

import hashlib
from dataclasses import dataclass

from stacks.manifests.contents import ManifestObject
from stacks.manifests.findings import Code, Finding, ManifestError
from stacks.manifests.lists import expand_lists
from stacks.manifests.long_keys import refuse_long_keys
from stacks.manifests.reading import Reading
from stacks.manifests.syntax import BOM, refuse_forbidden_characters, refuse_tag_directives

__all__ = [
    "Code",
    "Finding",
    "Manifest",
    "ManifestError",
    "ManifestObject",
    "check_manifest",
    "checksum",
    "expand_lists",
    "read_manifest",
]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A text that was read: the findings about it, and its objects, both in the order of the text."""

    findings: list[Finding]
    objects: list[ManifestObject]


def check_manifest(text: str, *, allow_blank: bool = False, strict: bool = False) -> list[Finding]:
    """The findings about `text`, as `read_manifest` gives them and under its conditions. Most texts have none."""
    return read_manifest(text, allow_blank=allow_blank, strict=strict).findings


def read_manifest(text: str, *, allow_blank: bool = False, strict: bool = False) -> Manifest:
    """Check the text and read its objects. An object without a name is not among them.

    Raises ManifestError with the first reason why agents cannot parse it or, if `strict`, cannot load it.

    The text is a stream of YAML documents, at least one of which is not null. It is refused for syntax errors,
    characters that YAML forbids, a key that is too long or repeated in its mapping, an alias whose anchor is missing or
    contains it, numbers of more than 64 bits, values that do not fit their tags, and for exceeding the limits of
    `reading`, which also limit the time of the check.

    Keys are equal when agents read the same value: `1` and `"1"` differ, `1` and `0x1` do not. `<<` is a key like any
    other: agents read it as a string.

    A blank text is accepted only with `allow_blank`, which is for deletion markers; a text that is not blank must
    follow all rules in any case. A byte order mark at the start is not content. It indents the first line, as
    it does for agents, so most mappings and lists with one are refused.
    """
    if not text.removeprefix(BOM).strip():
        # `strip` also removes a few characters that YAML forbids.
        refuse_forbidden_characters(text)
        if not allow_blank:
            raise ManifestError("The manifest is blank; only a deletion marker may be.")
        return Manifest([], [])
    refuse_tag_directives(text)
    reading = Reading(text)
    findings = reading.run()
    refuse_long_keys(text)
    unloadable = next((found for found in findings if not found.is_loadable), None)
    if strict and unloadable is not None:
        raise ManifestError.of(unloadable)
    if any(found.code == Code.LIST_NOT_EXPANDED for found in findings):
        return Manifest(findings, _objects_in_lists(text))
    return Manifest(findings, reading.contents.objects)


def _objects_in_lists(text: str) -> list[ManifestObject]:
    """The objects of a text of which some are items of lists; those of a list that cannot be expanded are left out."""
    try:
        expanded = Reading(expand_lists(text))
        expanded.run()
    except ManifestError:
        expanded = Reading(text)
        expanded.run()
    return expanded.contents.objects


def checksum(text: str) -> str:
    """The SHA-256 of `text` in UTF-8, in lower-case hex. Raises UnicodeEncodeError for a lone surrogate."""
    return hashlib.sha256(text.encode()).hexdigest()
