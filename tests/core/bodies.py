"""What the tests of bodies send, and where to."""

STACKS = "/api/v1/stacks"


def padded(size: int) -> bytes:
    """A stack of exactly `size` bytes."""
    start, end = b'{"name": "a", "padding": "', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end
