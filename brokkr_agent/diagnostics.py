"""Collects what a request for diagnostics asks for: pods, events and the ends of logs of one version's namespaces."""

import json
from dataclasses import dataclass
from typing import Any

from brokkr_agent import moments
from brokkr_agent.cluster import Cluster, ClusterError
from brokkr_agent.health import has_condition
from brokkr_agent.manifests import Object
from brokkr_agent.shelf import Shelf

_NAMESPACES, _PODS, _EVENTS, _LOGS, _LINES = 10, 50, 100, 10, 50


@dataclass(slots=True)
class Finder:
    """Looks into the namespaces of what was applied of a version."""

    cluster: Cluster
    shelf: Shelf

    def find(self, object_id: str) -> dict[str, Any]:
        """The body of the result. What cannot be read is said in its place."""
        pods: list[Object] = []
        events: list[Object] = []
        logs: dict[str, str] = {}
        for namespace in self._namespaces(object_id):
            found = self._listed("Pod", namespace, _PODS)
            pods += [_pod(pod) for pod in found]
            events += [_event(event) for event in self._listed("Event", namespace, _EVENTS)]
            for pod in found:
                if not has_condition(pod, "Ready") and len(logs) < _LOGS:
                    logs |= self._tails(pod)
        return {
            "pod_statuses": json.dumps(pods),
            "events": json.dumps(events),
            "log_tails": json.dumps(logs) if logs else None,
            "collected_at": moments.now(),
        }

    def _namespaces(self, object_id: str) -> list[str]:
        for inventory in list(self.shelf.inventories.values()):
            if inventory.version_id == object_id:
                names = {
                    each.namespace or (each.name if each.kind == "Namespace" else "")
                    for each in inventory.identities
                }
                return sorted(names - {""})[:_NAMESPACES]
        return []

    def _listed(self, kind: str, namespace: str, limit: int) -> list[Object]:
        try:
            return list(
                self.cluster.list(self.cluster.resource("v1", kind), namespace=namespace, limit=limit)
            )
        except ClusterError as error:
            return [{"metadata": {"name": f"{kind}s of {namespace} cannot be listed: {error.status}"}}]

    def _tails(self, pod: Object) -> dict[str, str]:
        namespace, name = pod["metadata"].get("namespace", ""), pod["metadata"]["name"]
        tails = {}
        for container in (pod.get("spec") or {}).get("containers") or []:
            try:
                tails[f"{namespace}/{name}/{container['name']}"] = self.cluster.log_tail(
                    namespace, name, container["name"], lines=_LINES
                )
            except ClusterError as error:
                tails[f"{namespace}/{name}/{container['name']}"] = f"The log cannot be read: {error.status}."
        return tails


def _pod(pod: Object) -> Object:
    status = pod.get("status") or {}
    return {
        "namespace": pod["metadata"].get("namespace"),
        "name": pod["metadata"]["name"],
        "phase": status.get("phase"),
        "conditions": status.get("conditions"),
        "containers": [
            {name: each.get(name) for name in ("name", "ready", "restartCount", "state")}
            for each in status.get("containerStatuses") or []
        ],
    }


def _event(event: Object) -> Object:
    about = event.get("involvedObject") or {}
    return {
        "object": f"{about.get('kind')} {about.get('name')}",
        **{name: event.get(name) for name in ("type", "reason", "message", "count", "lastTimestamp")},
    }
