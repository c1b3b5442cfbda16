"""The trace that a client's request belongs to: the header `traceparent` of the W3C's Trace Context."""

import re
from typing import NamedTuple

_FORM = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(-.*)?"
)
_VERSION_00 = "00-"
_LENGTH_OF_00 = 55


class TraceParent(NamedTuple):
    """The client's trace and span, as hex digits, and whether it records them."""

    trace_id: str
    span_id: str
    is_sampled: bool


def parse_traceparent(sent: str) -> TraceParent | None:
    """What a client sent in `traceparent`, or None when it cannot be used."""
    found = _FORM.fullmatch(sent)
    # Only later versions of the header may have more parts.
    if found is None or (sent.startswith(_VERSION_00) and len(sent) != _LENGTH_OF_00):
        return None
    return TraceParent(found["trace"], found["span"], bool(int(found["flags"], 16) & 1))
