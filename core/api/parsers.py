"""Parses bodies strictly: whatever is not exactly JSON or YAML text is refused before any rule runs."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from core.errors import InvalidJson, NulCharacter


class JsonParser(BaseParser):
    """JSON in UTF-8. orjson refuses lone surrogates, NaN and absurd depth, which Python's parser lets through."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read()
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise InvalidJson(f"The body is not valid JSON: {error}.") from error
        if b"\\u0000" in raw and _holds_nul(value):
            raise NulCharacter
        return value


class YamlParser(BaseParser):
    """The body's bytes as they are; the app that asked for YAML reads them."""

    media_type = "application/yaml"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream.read()


def _holds_nul(value: object) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False
