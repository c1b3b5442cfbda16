"""What the lane answers: the status, the headers and the body that the views would send."""

from dataclasses import dataclass
from http import HTTPStatus

from core.api.errors import CACHE_CONTROL, error_body, error_headers, status_of
from core.api.renderers import to_json
from core.errors import DomainError

# What Django's middleware adds to every answer, and what it adds to one with a body. A test compares.
_ALWAYS = [("Cache-Control", CACHE_CONTROL), ("Vary", "origin")]
_WITH_BODY = [
    ("Content-Type", "application/json"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without what is of its request alone. `body` is JSON; only 204 and 304 have none."""

    status: int
    body: bytes | None = None
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """The status as WSGI wants it."""
        return _LINES[self.status]

    def headers(self, request_id: str) -> list[tuple[str, str]]:
        """All of them."""
        headers = [*_ALWAYS, *self.extra, ("X-Request-Id", request_id)]
        if self.body is not None:
            headers += [*_WITH_BODY, ("Content-Length", str(len(self.body)))]
        return headers


NOTHING = Reply(200, b"[]")
NO_CONTENT = Reply(204)
_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def refusal(error: DomainError) -> Reply:
    """The answer that says why there is no other."""
    return Reply(status_of(error), to_json(error_body(error)), tuple(error_headers(error).items()))
