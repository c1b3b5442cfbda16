"""Checks the values of a request by a serializer."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, cast

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer


def validated(serializer_class: type[Serializer[Any]], data: object) -> dict[str, Any]:
    """The fields of the serializer. Raises ValidationError with the errors of each field."""
    return dict(_validator(cast(Any, serializer_class)).run_validation(data))


def valid_or_none(serializer_class: type[Serializer[Any]], data: object) -> dict[str, Any] | None:
    """The fields of the serializer, or None if any is wrong."""
    try:
        return validated(serializer_class, data)
    except ValidationError:
        return None


@cache
def values_of_nothing(serializer_class: type[Serializer[Any]]) -> Mapping[str, Any]:
    """The fields of the serializer if none is given, which are its defaults. Raises ValidationError if one is required.

    The defaults of our queries are constants.
    """
    return MappingProxyType(validated(serializer_class, {}))


# One for all requests: validating changes nothing in it, and making one copies every field.
@cache
def _validator(serializer_class: type[Serializer[Any]]) -> Serializer[Any]:
    return serializer_class()
