"""What labels and annotations are for, in the words of the API's document."""

from typing import Any

from rest_framework.serializers import BaseSerializer

from core.labels.api.operations import label_operations


def matching_operations(
    noun: str, label: type[BaseSerializer[Any]], annotation: type[BaseSerializer[Any]]
) -> dict[str, Any]:
    """The label and annotation operations of a resource whose labels say what runs where."""
    return label_operations(
        noun,
        label,
        annotation,
        label_purpose="Agents and stacks that share a label find each other.",
        annotation_purpose="Agents and stacks that share a key and its value find each other.",
    )
