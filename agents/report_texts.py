"""When two texts of reports say the same: pure, by their words.

An agent that tries again every few seconds writes the same sentence with another duration, attempt, address or id in
it. Those differ; what went wrong does not.
"""

import re

# Longer texts are compared by their beginning: a stack trace of megabytes must not cost more than the report is worth.
COMPARED = 4_096

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")
_DIGIT = re.compile(r"[0-9]")
_HASH = re.compile(r"[0-9a-f]{7,}", re.IGNORECASE)
# What Kubernetes makes names unique with has no vowels.
_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz0-9]{5,}")
# Numbers that belong together, as in times, addresses and decimals, and a name's suffix that has no digit by chance.
_JOINED = re.compile(r"[-+]?#(?:[.,:/+-]?#|-[bcdfghjklmnpqrstvwxz]{5}\b)*")


def essence(text: str) -> str:
    """The text with each number, duration, id and hash in it written as `#`, and white space as single spaces."""
    words = _UUID.sub("#", " ".join(text[:COMPARED].split()))
    return _JOINED.sub("#", _WORD.sub(_hidden, words))


def same_text(one: str | None, other: str | None) -> bool:
    """Whether two messages of reports say the same. None, no message, differs from an empty one."""
    if one is None or other is None or one == other:
        return one == other
    return essence(one) == essence(other)


def _hidden(word: re.Match[str]) -> str:
    """`#` for what begins with a digit, and for a hash or an id; `v1beta1` and `sha256` are words like others."""
    text = word[0]
    varies = text[0].isdigit() or (
        _DIGIT.search(text) is not None and bool(_HASH.fullmatch(text) or _SUFFIX.fullmatch(text))
    )
    return "#" if varies else text
