"""Texts of manifests to Kubernetes objects, as dictionaries, and what an object is called. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]


class ManifestError(Exception):
    """The text cannot be applied. The message is a sentence for the report."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What names an object in a cluster. The version of its API is no part: the same object has several."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


class _Loader(yaml.CSafeLoader):
    """Reads scalars as Kubernetes does: no dates, and no numbers to the base of sixty, so that `12:30` is a text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("int", r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?([0-9][0-9_]*(\.[0-9_]*|(?=[eE]))|\.[0-9_]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _whole_number(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> int:
    digits = str(loader.construct_scalar(node)).replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", digits):
        return int(digits, 8)
    return int(digits, 0)


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def objects_of(text: str) -> list[Object]:
    """The objects of a text of one or more documents, in its order, those of lists one by one.

    Raises ManifestError.
    """
    try:
        documents = list(yaml.load_all(text, _Loader))  # a safe loader, with fewer types
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(f"The text is no YAML: {error}") from error
    objects = [obj for document in documents if document is not None for obj in _expanded(document)]
    seen: set[tuple[str, str, str, str]] = set()
    for obj in objects:
        key = (group_of(obj), obj["kind"], str(obj["metadata"].get("namespace", "")), obj["metadata"]["name"])
        if key in seen:
            raise ManifestError(f"{obj['kind']} {obj['metadata']['name']} is in the text twice.")
        seen.add(key)
    if not objects:
        # It would prune everything. Whoever wants that deletes the stack.
        raise ManifestError("The text has no objects.")
    return objects


def _expanded(document: object) -> Iterator[Object]:
    if not isinstance(document, dict):
        raise ManifestError("A document of the text is no mapping.")
    kind = document.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _expanded(item)
        return
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise ManifestError(f"An object of kind {kind} has no metadata.")
    names = (kind, document.get("apiVersion"), metadata.get("name"))
    if not all(isinstance(name, str) and name for name in names):
        raise ManifestError("An object lacks apiVersion, kind or metadata.name.")
    yield document


def group_of(obj: Object) -> str:
    """The group of the object's API, empty for the core."""
    return group_and_version(obj["apiVersion"])[0]


def group_and_version(api_version: str) -> tuple[str, str]:
    """The two parts of an `apiVersion`."""
    group, _, version = api_version.rpartition("/")
    return group, version


def identity_of(obj: Object, *, namespaced: bool) -> Identity:
    """What names the object. Without a namespace, a namespaced one is in `default`."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace") or "default" if namespaced else ""
    return Identity(group_of(obj), obj["kind"], str(namespace), metadata["name"])
