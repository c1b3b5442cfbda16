"""Bodies of the label and annotation endpoints."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from core.api.fields import LABEL_RULE, Text


class LabelBody(serializers.Serializer[Any]):
    label = Text(rule=LABEL_RULE)  # type: ignore[assignment]  # DRF fields have a `label` too


@extend_schema_serializer(
    examples=[OpenApiExample("A region", value={"key": "region", "value": "eu-west-1"})]
)
class AnnotationBody(serializers.Serializer[Any]):
    key = Text(rule=LABEL_RULE)
    value = Text(rule=LABEL_RULE)
