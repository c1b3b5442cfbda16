"""What makes a document a Kubernetes object that agents can load. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from stacks.manifests.findings import Code
from stacks.manifests.lists import is_list
from stacks.manifests.nodes import Collection, Node
from stacks.manifests.scalars import BOOL, INT, NULL

# The fields of an object whose whole content is checked.
KEPT: Final = frozenset({"metadata", "data", "stringData", "binaryData"})

# API group, kind, namespace and name.
Identity = tuple[str, str, str, str]
# The code, one sentence, and the line.
Remark = tuple[Code, str, int]

_TEXT: Final = "a string"
_TEXTS_BY_KEY: Final = "a mapping of strings to strings"
_LIST_OF_TEXTS: Final = "a list of strings"
_LIST_OF_MAPPINGS: Final = "a list of mappings"
_INTEGER: Final = "an integer"
_BOOLEAN: Final = "true or false"
_TIME: Final = "a time such as 2030-01-31T12:00:00Z"
_ANY: Final = "a value"
# The fields that agents read in metadata; they ignore other fields.
_METADATA: Final = {
    "annotations": _TEXTS_BY_KEY,
    "creationTimestamp": _TIME,
    "deletionGracePeriodSeconds": _INTEGER,
    "deletionTimestamp": _TIME,
    "finalizers": _LIST_OF_TEXTS,
    "generateName": _TEXT,
    "generation": _INTEGER,
    "labels": _TEXTS_BY_KEY,
    "managedFields": _LIST_OF_MAPPINGS,
    "name": _TEXT,
    "namespace": _TEXT,
    "ownerReferences": _LIST_OF_MAPPINGS,
    "resourceVersion": _TEXT,
    "selfLink": _TEXT,
    "uid": _TEXT,
}
# The fields that agents read in the items of the lists in metadata.
_OF_ITEMS: Final = {
    "managedFields": {
        "apiVersion": _TEXT,
        "fieldsType": _TEXT,
        "fieldsV1": _ANY,
        "manager": _TEXT,
        "operation": _TEXT,
        "subresource": _TEXT,
        "time": _TIME,
    },
    "ownerReferences": {
        "apiVersion": _TEXT,
        "blockOwnerDeletion": _BOOLEAN,
        "controller": _BOOLEAN,
        "kind": _TEXT,
        "name": _TEXT,
        "uid": _TEXT,
    },
}
# Fields that map keys to strings; the API server accepts no other values in them.
_DATA: Final = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}
_TIMESTAMP: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)",
    re.ASCII,
)


def examine(root: Node, line: int, others: dict[Identity, int], document: int) -> Iterator[Remark]:
    """The findings about one document that is not null.

    `others` are the objects before it in the text, each with the number of its document; this object is added.
    """
    if not isinstance(root, Collection) or not root.is_mapping:
        what = "a list" if isinstance(root, Collection) else "a single value"
        yield Code.NOT_AN_OBJECT, f"this is {what}; a Kubernetes object is a mapping.", line
        return
    fields = {key: (value, at) for key, value, at in root.entries() if isinstance(key, str)}
    api_version, kind = (_text(fields.get(name)) for name in ("apiVersion", "kind"))
    if not api_version or not kind:
        missing = "apiVersion" if not api_version else "kind"
        yield (
            Code.NOT_AN_OBJECT,
            f"there is no {missing} that is a string, so this is no Kubernetes object.",
            fields[missing][1] if missing in fields else line,
        )
        return
    items = fields.get("items", (NULL, line))[0]
    if is_list(kind, has_items=isinstance(items, Collection) and not items.is_mapping):
        yield (
            Code.LIST_NOT_EXPANDED,
            f"agents do not take a {kind} apart, as kubectl does; publish it with expand_lists=true.",
            fields["kind"][1],
        )
        return
    metadata, at = fields.get("metadata", (NULL, line))
    yield from _of_metadata(metadata, at)
    for name in _DATA.get(kind, ()) if "/" not in api_version else ():
        if name in fields:
            yield from _of_strings(name, *fields[name], may_be_null=True)
    identity = _identity(api_version, kind, metadata)
    if identity is None:
        return
    if identity in others:
        name, other = identity[3][:80], others[identity]
        repeated = f"the {kind} {name!r} is already in document {other}; agents apply both in turn."
        yield Code.OBJECT_REPEATED, repeated, fields["kind"][1]
    others.setdefault(identity, document)


def named(root: Node) -> tuple[str, Identity] | None:
    """The API version and the identity of an object; None for what is no object, a list of objects or nameless."""
    if not isinstance(root, Collection):
        return None
    fields = {key: (value, at) for key, value, at in root.entries() if isinstance(key, str)}
    api_version, kind = (_text(fields.get(name)) for name in ("apiVersion", "kind"))
    items = fields.get("items", (NULL, 0))[0]
    if not api_version or not kind or is_list(kind, has_items=isinstance(items, Collection)):
        return None
    identity = _identity(api_version, kind, fields.get("metadata", (NULL, 0))[0])
    return (api_version, identity) if identity is not None and identity[3] else None


def _identity(api_version: str, kind: str, metadata: Node) -> Identity | None:
    if not isinstance(metadata, Collection):
        return None
    fields = {key: value for key, value, _ in metadata.entries() if isinstance(key, str)}
    name, namespace = fields.get("name"), fields.get("namespace")
    if not isinstance(name, str):
        return None
    return api_version.rpartition("/")[0], kind, namespace if isinstance(namespace, str) else "", name


def _text(field: tuple[Node, int] | None) -> str | None:
    return field[0] if field is not None and isinstance(field[0], str) else None


def _of_metadata(metadata: Node, line: int) -> Iterator[Remark]:
    if not isinstance(metadata, Collection) or not metadata.is_mapping:
        yield Code.METADATA_INVALID, "metadata must be a mapping with a name.", line
        return
    fields = {key: (value, at) for key, value, at in metadata.entries() if isinstance(key, str)}
    if not _text(fields.get("name")):
        why = (
            "agents apply objects by name and resolve no generateName; give it a name."
            if "generateName" in fields
            else "metadata.name must be a string, and not empty; a number needs quotes."
        )
        yield Code.NAME_MISSING, why, fields.get("name", (NULL, line))[1]
    elif "generateName" in fields:
        yield (
            Code.GENERATE_NAME,
            "agents apply the object by its name; generateName does nothing.",
            fields["generateName"][1],
        )
    for name, (value, at) in fields.items():
        if name != "name" and name in _METADATA and value != NULL:
            yield from _of_field(f"metadata.{name}", value, at, _METADATA[name], _OF_ITEMS.get(name, {}))


def _of_field(name: str, value: Node, line: int, kind: str, of_items: dict[str, str]) -> Iterator[Remark]:
    if kind == _TEXTS_BY_KEY:
        yield from _of_strings(name, value, line, may_be_null=False)
    elif not _fits(value, kind):
        yield Code.METADATA_INVALID, f"{name} must be {kind}.", line
    elif kind == _LIST_OF_MAPPINGS and isinstance(value, Collection):
        for item, _ in value.items():
            if isinstance(item, Collection):
                for key, part, at in item.entries():
                    if isinstance(key, str) and part != NULL and not _fits(part, of_items.get(key, _ANY)):
                        yield Code.METADATA_INVALID, f"{name}: {key} must be {of_items[key]}.", at


def _of_strings(name: str, value: Node, line: int, *, may_be_null: bool) -> Iterator[Remark]:
    if value == NULL:
        return
    if not isinstance(value, Collection) or not value.is_mapping:
        yield Code.VALUE_NOT_STRING, f"{name} must be {_TEXTS_BY_KEY}.", line
        return
    for key, part, at in value.entries():
        if not isinstance(part, str) and not (may_be_null and part == NULL):
            yield (
                Code.VALUE_NOT_STRING,
                f"the value of {str(key)[:80]!r} in {name} is not a string; put it in quotes.",
                at,
            )


def _fits(value: Node, kind: str) -> bool:
    if isinstance(value, str):
        return kind in {_TEXT, _ANY} or (kind == _TIME and _TIMESTAMP.fullmatch(value) is not None)
    if isinstance(value, Collection):
        if kind == _ANY:
            return True
        if value.is_mapping:
            return False
        parts = value.parts
        if kind == _LIST_OF_TEXTS:
            return all(isinstance(part, str) for part in parts)
        return kind == _LIST_OF_MAPPINGS and all(
            isinstance(part, Collection) and part.is_mapping for part in parts
        )
    return (
        kind == _ANY
        or (kind == _INTEGER and value[0] == INT and _is_signed(value[1]))
        or (kind == _BOOLEAN and value[0] == BOOL)
    )


def _is_signed(number: object) -> bool:
    # The agents' parser accepts numbers twice as large as the field can contain.
    return isinstance(number, int) and number < 2**63
