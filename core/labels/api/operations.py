"""What the API's document says of the label and annotation endpoints."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, extend_schema
from rest_framework.serializers import BaseSerializer

from core.api.fields import LABEL_RULE
from core.api.pagination import ListQuery
from core.labels.api.serializers import AnnotationBody

_LABEL = {"type": "string"} | LABEL_RULE
# By their names: what tools that write clients make of a body in two forms is of use only where it has a name.
LABEL_SCHEMAS = {
    "LabelBody": {"type": "object", "required": ["label"], "properties": {"label": _LABEL}},
    "AddLabelBody": {"oneOf": [_LABEL, {"$ref": "#/components/schemas/LabelBody"}]},
}

_DOTS = (
    "Many clients take `.` and `..` out of a path, and then the request is one about the resource itself; "
    "what is called so is taken off in the admin."
)


def label_operations(
    noun: str,
    label: type[BaseSerializer[Any]],
    annotation: type[BaseSerializer[Any]],
    *,
    label_purpose: str,
    annotation_purpose: str,
) -> dict[str, Any]:
    """The descriptions of the six label and annotation operations of one resource.

    `noun` in the singular makes the operations' ids; the purposes say in a sentence what the words are for.
    """
    tags = [f"{noun}s"]
    return {
        "labels": extend_schema(
            operation_id=f"{noun}s_list_labels",
            tags=tags,
            summary=f"List the labels of one of the {noun}s",
            description="In alphabetical order.",
            parameters=[ListQuery],
            responses=label(many=True),
        ),
        "add_label": extend_schema(
            operation_id=f"{noun}s_add_label",
            tags=tags,
            summary=f"Put a label on one of the {noun}s",
            description=f"The body is the label itself as a JSON string, or an object with `label`. {label_purpose}",
            request={
                "application/json": OpenApiRequest(
                    {"$ref": "#/components/schemas/AddLabelBody"},
                    examples=[
                        OpenApiExample("The label", value="env:prod"),
                        OpenApiExample("In an object", value={"label": "env:prod"}),
                    ],
                )
            },
            responses={201: label},
        ),
        "remove_label": extend_schema(
            operation_id=f"{noun}s_remove_label",
            tags=tags,
            summary=f"Take a label off one of the {noun}s",
            description=f"A slash in the label is sent as `%2F`. {_DOTS}",
            responses={204: None},
        ),
        "annotations": extend_schema(
            operation_id=f"{noun}s_list_annotations",
            tags=tags,
            summary=f"List the annotations of one of the {noun}s",
            description="In alphabetical order of their keys.",
            parameters=[ListQuery],
            responses=annotation(many=True),
        ),
        "add_annotation": extend_schema(
            operation_id=f"{noun}s_add_annotation",
            tags=tags,
            summary=f"Put an annotation on one of the {noun}s",
            description=f"One value for a key. {annotation_purpose}",
            request=AnnotationBody,
            responses={201: annotation},
        ),
        "remove_annotation": extend_schema(
            operation_id=f"{noun}s_remove_annotation",
            tags=tags,
            summary=f"Take an annotation off one of the {noun}s",
            description=f"Its key is in the path; a slash in it is sent as `%2F`. {_DOTS}",
            responses={204: None},
        ),
    }
