"""Manifests for tests of the inventory."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

# Where each built-in kind has the spec of its pods.
POD_SPECS: dict[tuple[str, str], tuple[str, ...]] = {
    ("v1", "Pod"): ("spec",),
    ("v1", "PodTemplate"): ("template", "spec"),
    ("v1", "ReplicationController"): ("spec", "template", "spec"),
    ("apps/v1", "DaemonSet"): ("spec", "template", "spec"),
    ("apps/v1", "Deployment"): ("spec", "template", "spec"),
    ("apps/v1", "ReplicaSet"): ("spec", "template", "spec"),
    ("apps/v1", "StatefulSet"): ("spec", "template", "spec"),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch/v1", "Job"): ("spec", "template", "spec"),
}


def obj(
    kind: str, name: str, *, api_version: str = "v1", namespace: str | None = None, **fields: Any
) -> dict[str, Any]:
    """A Kubernetes object."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace is not None else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def text_of(*objects: Mapping[str, Any]) -> str:
    """A manifest of these objects. JSON is YAML."""
    return "---\n".join(f"{json.dumps(each)}\n" for each in objects)


def with_pods(api_version: str, kind: str, pod: Mapping[str, Any], name: str = "web") -> dict[str, Any]:
    """An object of a built-in kind with this spec of its pods."""
    spec: Any = pod
    for field in reversed(POD_SPECS[api_version, kind]):
        spec = {field: spec}
    return {**obj(kind, name, api_version=api_version), **spec}


def workload(kind: str, *, containers: Sequence[str]) -> str:
    """A manifest of one object of a built-in kind, named `web`, with these images."""
    (api_version,) = (version for version, each in POD_SPECS if each == kind)
    return text_of(with_pods(api_version, kind, {"containers": [{"image": image} for image in containers]}))


def deployment(name: str, *, namespace: str | None = None, image: str = "nginx") -> str:
    """A manifest of one Deployment."""
    pods = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
    return text_of(obj("Deployment", name, api_version="apps/v1", namespace=namespace, spec=pods))


def names_in(answer: Mapping[str, Any]) -> list[str]:
    """The names of the resources in an answer of `GET /resources`."""
    return [each["name"] for each in answer["resources"]]
