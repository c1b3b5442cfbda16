"""Serializer fields that take exactly the JSON type they name: 5 is no string, "5" is no integer.

DRF's own fields convert; a client that sends the wrong type has a bug it should hear about.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

NAME_RULE = {"minLength": 1, "maxLength": 255, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
LABEL_RULE = {"minLength": 1, "maxLength": 64, "pattern": r"^[^\s\u0000]+$"}
TEXT_RULE = {"pattern": r"^[^\u0000]*$"}

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_uuid(text: str) -> uuid.UUID | None:
    """The UUID that `text` spells in hyphenated form, else None."""
    return uuid.UUID(text) if _UUID.fullmatch(text) else None


class Text(serializers.CharField):
    """A string, kept as sent. Rules about its content belong to services, which answer with their own code."""

    def __init__(self, *, rule: Mapping[str, object] | None = None, **kwargs: Any) -> None:
        # `rule` is what the published schema says of the content; the service is what checks it.
        self.rule = dict(rule or TEXT_RULE)
        super().__init__(allow_blank=True, trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            raise serializers.ValidationError("must be a string", code="invalid")
        return super().run_validation(data)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false", code="invalid")
        return data


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("must be a whole number", code="invalid")
        return data


class Id(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> uuid.UUID:
        parsed = parse_uuid(data) if isinstance(data, str) else None
        if parsed is None:
            raise serializers.ValidationError("must be a UUID", code="invalid")
        return parsed
