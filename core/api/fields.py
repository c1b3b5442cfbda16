"""Serializer fields that accept exactly the type they name. In JSON, 5 is not a string and "5" is not an integer; in
a query, `true` is a truth value and `yes` is not.

DRF's own fields convert values. A client that sends the wrong type has a bug and should learn of it.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from core.validators import MAX_LABEL, MAX_NAME, MAX_REASON, WHITE_SPACE

# Not `\s`, which is another set of characters in each dialect of regular expressions.
_SPACE = "".join(f"\\u{ord(character):04x}" for character in WHITE_SPACE)
TEXT_RULE = {"pattern": r"^[^\u0000]*$"}
FILLED_RULE = {"minLength": 1, "pattern": rf"^[^\u0000]*[^\u0000{_SPACE}][^\u0000]*$"}
NAME_RULE = FILLED_RULE | {"maxLength": MAX_NAME}
LABEL_RULE = {"minLength": 1, "maxLength": MAX_LABEL, "pattern": rf"^[^\u0000{_SPACE}]+$"}

# Converting a very long number costs time. Smaller limits are set by each parameter.
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,999}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_uuid(text: str) -> uuid.UUID | None:
    """The UUID that `text` spells in hyphenated form, else None."""
    return uuid.UUID(text) if _UUID.fullmatch(text) else None


class _NoSurrogates(ProhibitSurrogateCharactersValidator):
    """As DRF's, which looks at each character of a long text in Python, even if there are no surrogates."""

    def __call__(self, value: Any) -> None:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            super().__call__(value)


class Text(serializers.CharField):
    """A string, kept as sent. Rules about its content belong to services, which answer with their own code."""

    def __init__(self, *, rule: Mapping[str, object] | None = None, **kwargs: Any) -> None:
        # `rule` goes into the published schema. The service checks the content.
        self.rule = dict(rule or TEXT_RULE)
        super().__init__(allow_blank=True, trim_whitespace=False, **kwargs)
        self.validators = [
            _NoSurrogates() if isinstance(each, ProhibitSurrogateCharactersValidator) else each
            for each in self.validators
        ]

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            raise serializers.ValidationError("must be a string", code="invalid")
        return super().run_validation(data)


class Reason(Text):
    """Why something is done. Whether there must be one is for the service to say."""

    def __init__(self, *, rule: Mapping[str, object] = TEXT_RULE, **kwargs: Any) -> None:
        super().__init__(rule={**rule, "maxLength": MAX_REASON}, max_length=MAX_REASON, **kwargs)


class NullIsAbsent(serializers.Serializer[Any]):
    """A body in which null in the fields of `null_is_absent` means no more than leaving them out: existing clients
    send it for what they leave to the broker."""

    null_is_absent: ClassVar[tuple[str, ...]]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name in self.null_is_absent:
            fields[name].allow_null = True
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if not self._is_absent(name, value)}
        return super().to_internal_value(data)

    def _is_absent(self, name: str, value: object) -> bool:
        return value is None and name in self.null_is_absent


class LabelMap(serializers.DictField):
    """Words by words, as annotations are. The service checks them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Text(rule=LABEL_RULE), **kwargs)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false", code="invalid")
        return data


class WholeNumber(serializers.IntegerField):
    """A whole number. Like that of Text, its `rule` is published here and checked by the service."""

    def __init__(self, *, rule: Mapping[str, object] | None = None, **kwargs: Any) -> None:
        self.rule = dict(rule or {})
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        # 12.0 is 12 to JSON Schema, and to languages that know one kind of number.
        if not isinstance(data, int | float) or isinstance(data, bool) or data != data // 1:
            raise serializers.ValidationError("must be a whole number", code="invalid")
        return int(data)


# Nothing is said of its type: few tools that write clients can read a list of all of them.
@extend_schema_field({})
class AnyJson(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, null among them."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # Not `allow_null`, which would be published as a second schema beside this one, though null fits both.
        return (False, None) if data is None else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Id(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> uuid.UUID:
        parsed = parse_uuid(data) if isinstance(data, str) else None
        if parsed is None:
            raise serializers.ValidationError("must be a UUID", code="invalid")
        return parsed


class Moment(serializers.DateTimeField):
    """A time in RFC 3339, with its offset."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise serializers.ValidationError(
                "must be a time with its offset, 2026-11-24T09:30:00Z for instance", code="invalid"
            )
        # RFC 3339 allows both letters in lower case.
        return super().to_internal_value(value.upper())


class QueryText(serializers.CharField):
    """A query parameter as sent; an empty one is refused, because it would match nothing or everything."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.rule = TEXT_RULE if self.max_length is None else TEXT_RULE | {"maxLength": self.max_length}


class QueryFlag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if data not in {"true", "false"}:
            raise serializers.ValidationError("must be true or false", code="invalid")
        return bool(data == "true")


class QueryNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not _WHOLE.fullmatch(str(data)):
            raise serializers.ValidationError("must be a whole number", code="invalid")
        return int(data)


_WindowBase = type(
    "_WindowBase",
    (serializers.Serializer,),
    # `from` is a keyword of the language and a parameter of the contract.
    {"from": Moment(required=False, help_text="Not earlier than this.")},
)


class QueryWindow(_WindowBase):  # type: ignore[misc, valid-type]
    """The query parameters of a time: from a moment until before another."""

    to = Moment(required=False, help_text="Earlier than this.")
