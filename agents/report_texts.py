"""When two messages of reports say the same. Pure: it looks only at the texts.

An agent that tries again every few seconds writes the same sentence each time, with another duration, attempt,
address or id in it. These details differ, but the error is the same.
"""

import re

# Only the beginning of a longer text is compared, because a stack trace of megabytes would take too long.
COMPARED = 4_096

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")
_DIGIT = re.compile(r"[0-9]")
_HASH = re.compile(r"[0-9a-f]{7,}", re.IGNORECASE)
# The suffixes by which Kubernetes makes names unique contain no vowels.
_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz0-9]{5,}")
# Several numbers that belong together, as in times, addresses and decimals, and a suffix of a name that happens to
# contain no digit.
_JOINED = re.compile(r"[-+]?#(?:[.,:/+-]?#|-[bcdfghjklmnpqrstvwxz]{5}\b)*")


def essence(text: str) -> str:
    """The text with `#` for each number, duration, id and hash, and with a single space for any white space."""
    words = _UUID.sub("#", " ".join(text[:COMPARED].split()))
    return _JOINED.sub("#", _WORD.sub(_hidden, words))


def same_text(one: str | None, other: str | None) -> bool:
    """Whether two messages of reports say the same. None (no message) differs from an empty message."""
    if one is None or other is None or one == other:
        return one == other
    return essence(one) == essence(other)


def _hidden(word: re.Match[str]) -> str:
    """`#` for a word that begins with a digit, a hash or an id; else the word itself, as for `v1beta1` and `sha256`."""
    text = word[0]
    varies = text[0].isdigit() or (
        _DIGIT.search(text) is not None and bool(_HASH.fullmatch(text) or _SUFFIX.fullmatch(text))
    )
    return "#" if varies else text
