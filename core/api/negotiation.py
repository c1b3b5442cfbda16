"""Chooses the parser of the body and the renderer of the answer."""

from collections.abc import Iterable

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

YAML_TYPES = frozenset({"application/yaml", "text/yaml", "application/x-yaml"})


def content_type(request: Request) -> str:
    """The media type of the body, lower-case, without parameters."""
    return str(request.content_type or "").split(";")[0].strip().lower()


def wants_yaml(request: Request) -> bool:
    """Whether any media type listed in Accept is a YAML type; weights are not looked at."""
    accepted = request.headers.get("Accept", "")
    return any(part.split(";")[0].strip().lower() in YAML_TYPES for part in accepted.split(","))


class AlwaysFirstRenderer(BaseContentNegotiation):
    """Answers are JSON whatever Accept says, as clients that send odd Accept headers expect."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = content_type(request)
        if kind in YAML_TYPES:
            kind = "application/yaml"
        elif kind.startswith("application/") and kind.endswith("+json"):
            kind = "application/json"
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)
