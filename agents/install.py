"""What starts an agent in its cluster: manifests for Kubernetes, or variables for its environment.

For brokkr-agent the manifests are those of its chart. For agents of other makers there are both, in the release that
the tests speak with; their variables are `BROKKR__AGENT__…`.
"""

import shlex
from copy import deepcopy
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.http import HttpRequest

from agents.models import Agent

# What the chart of brokkr-agent makes by default.
_OWN: Final = Path(__file__).parent.parent / "deploy" / "kustomize" / "agent" / "brokkr-agent.yaml"
_OWN_NAMESPACE: Final = "brokkr"
_OF_NO_NAMESPACE: Final = {"ClusterRole", "ClusterRoleBinding"}
_OWN_HEADER: Final = """\
# The rights in the ClusterRole are those that the usual kinds need. `python3 -m brokkr_agent --print-role`, in the pod,
# prints the ClusterRole that its stacks need.
"""
IMAGE: Final = "ghcr.io/colliery-io/brokkr-agent:v0.9.1"
# In place of a key, which nobody but its holder knows.
PLACEHOLDER: Final = "<the key of the agent>"
_NAME: Final = "brokkr-agent"
_PORT: Final = 8080
_KEY: Final = "BROKKR__AGENT__PAK"
_LABELS: Final = {"app.kubernetes.io/name": _NAME}
_HEADER: Final = """\
# The rights are those that the usual kinds need. For other kinds in your stacks add rules to the ClusterRole:
# an agent can apply only what it has the right to. It reads nothing else, besides pods, their logs and events.
"""
_READING: Final = ["get", "list", "watch"]
_WRITING: Final = [*_READING, "create", "patch", "update", "delete"]


class InstallForm(StrEnum):
    """How it is asked for."""

    BROKKR_AGENT = "brokkr-agent"
    ENV = "env"
    MANIFESTS = "manifests"


def address_of_broker(request: HttpRequest) -> str:
    """Where the broker is, without a path: as the setting says, else as whoever sends this request reaches it."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def install_text(form: InstallForm, *, agent: Agent, broker_url: str, key: str = PLACEHOLDER) -> str:
    """The text in that form. Lines of variables are quoted as a shell reads them, where that is needed."""
    if form is InstallForm.BROKKR_AGENT:
        return _OWN_HEADER + _yaml(_own_manifests(broker_url, key))
    variables = {
        "BROKKR__AGENT__BROKER_URL": broker_url,
        "BROKKR__AGENT__AGENT_NAME": agent.name,
        "BROKKR__AGENT__CLUSTER_NAME": agent.cluster_name,
    }
    if form is InstallForm.ENV:
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in {**variables, _KEY: key}.items())
    return _HEADER + _yaml(_manifests(variables, key))


def _yaml(documents: list[dict[str, Any]]) -> str:
    text: str = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=1_000)
    return text


def _own_manifests(broker_url: str, key: str) -> list[dict[str, Any]]:
    documents = deepcopy(_of_chart())
    for document in documents:
        if document["kind"] not in _OF_NO_NAMESPACE:
            document["metadata"]["namespace"] = _OWN_NAMESPACE
        if document["kind"] == "Deployment":
            (container,) = document["spec"]["template"]["spec"]["containers"]
            container["image"] = settings.AGENT_IMAGE or container["image"]
            for variable in container["env"]:
                if variable["name"] == "BROKKR_AGENT_BROKER_URL":
                    variable["value"] = broker_url
    inside = {"name": _NAME, "namespace": _OWN_NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _OWN_NAMESPACE}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": inside, "stringData": {"key": key}},
        *documents,
    ]


@cache
def _of_chart() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(_OWN.read_text()))


def _manifests(variables: dict[str, str], key: str) -> list[dict[str, Any]]:
    meta = {"name": _NAME, "labels": _LABELS}
    inside = {"name": _NAME, "namespace": _NAME, "labels": _LABELS}
    rights = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta},
        {"apiVersion": "v1", "kind": "Secret", "metadata": inside, "stringData": {_KEY: key}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": inside},
        {"apiVersion": f"{rights}/v1", "kind": "ClusterRole", "metadata": meta, "rules": _rules()},
        {
            "apiVersion": f"{rights}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rights, "kind": "ClusterRole", "name": _NAME},
            "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": _NAME}],
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": inside, "spec": _deployment(variables)},
    ]


def _rules() -> list[dict[str, Any]]:
    def rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
        return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}

    return [
        rule(
            "",
            ["namespaces", "configmaps", "secrets", "services", "serviceaccounts", "persistentvolumeclaims"],
            _WRITING,
        ),
        rule("apps", ["deployments", "statefulsets", "daemonsets"], _WRITING),
        rule("batch", ["jobs", "cronjobs"], _WRITING),
        rule("networking.k8s.io", ["ingresses", "networkpolicies"], _WRITING),
        rule("autoscaling", ["horizontalpodautoscalers"], _WRITING),
        rule("policy", ["poddisruptionbudgets"], _WRITING),
        rule("", ["pods", "pods/log", "events"], _READING),
        rule("apps", ["replicasets"], _READING),
    ]


def _deployment(variables: dict[str, str]) -> dict[str, Any]:
    def probe(path: str) -> dict[str, Any]:
        return {"httpGet": {"path": path, "port": _PORT}, "periodSeconds": 10}

    container = {
        "name": "agent",
        "image": IMAGE,
        "args": ["start"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "envFrom": [{"secretRef": {"name": _NAME}}],
        "livenessProbe": {**probe("/healthz"), "initialDelaySeconds": 30},
        "readinessProbe": probe("/readyz"),
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "200m", "memory": "256Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "replicas": 1,
        # Two at a time would both report as the one agent.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": dict(_LABELS)},
        "template": {
            "metadata": {"labels": dict(_LABELS)},
            "spec": {
                "serviceAccountName": _NAME,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
            },
        },
    }
