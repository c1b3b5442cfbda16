"""Manifests: what a text must be before it is stored and handed to agents. Pure.

`reading` goes once over the text, whose `syntax` may stop it, and keeps some of its `nodes`. `scalars` says what each
value is to agents and to kubectl, `objects` what makes a Kubernetes object, `findings` what comes of it.
"""

import hashlib

from stacks.manifests.findings import Code, Finding, ManifestError
from stacks.manifests.lists import expand_lists
from stacks.manifests.reading import Reading
from stacks.manifests.syntax import BOM, refuse_forbidden_characters, refuse_tag_directives

__all__ = ["Code", "Finding", "ManifestError", "check_manifest", "checksum", "expand_lists"]


def check_manifest(text: str, *, allow_blank: bool = False, strict: bool = False) -> list[Finding]:
    """What is to be said about `text`, in its order; nothing about most.

    Raises ManifestError with the first reason why agents cannot parse it or, if `strict`, cannot load it.

    The text is a stream of YAML documents, at least one of which is not null. Refused are syntax
    errors, characters that YAML forbids, a key repeated in a mapping, an alias whose anchor is missing or
    contains it, numbers of more than 64 bits, values that their tags do not fit, and what exceeds the limits of
    `reading`, which also bound the time this takes.

    Keys are equal when agents read the same value: `1` and `"1"` differ, `1` and `0x1` do not. `<<` is a key like any
    other: agents read it as a string.

    A blank text passes only with `allow_blank`, which is for deletion markers; a text that is not blank must
    keep all the rules either way. A byte order mark at the start is no content. It indents the first line, as
    it does for agents, so that most mappings and lists do not pass with one.
    """
    if not text.removeprefix(BOM).strip():
        # Trimming also takes a few characters that YAML forbids.
        refuse_forbidden_characters(text)
        if not allow_blank:
            raise ManifestError("The manifest is blank; only a deletion marker may be.")
        return []
    refuse_tag_directives(text)
    findings = Reading(text).run()
    unloadable = next((found for found in findings if not found.is_loadable), None)
    if strict and unloadable is not None:
        raise ManifestError.of(unloadable)
    return findings


def checksum(text: str) -> str:
    """The SHA-256 of `text` in UTF-8, in lower-case hex. Raises UnicodeEncodeError for a lone surrogate."""
    return hashlib.sha256(text.encode()).hexdigest()
