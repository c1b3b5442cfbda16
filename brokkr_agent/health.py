"""The status rules: whether an object, and a stack, is as it should be. Pure.

They follow what Kubernetes publishes of its own kinds, and for custom resources the conditions Ready, Available,
Reconciling and Stalled. The words are those of the broker.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brokkr_agent.manifests import Identity, Object

HEALTHY, DEGRADED, FAILING, UNKNOWN = "healthy", "degraded", "failing", "unknown"
_WORST_FIRST = (FAILING, DEGRADED, UNKNOWN, HEALTHY)
# Kinds that have no status: they are healthy as soon as they are there.
WITHOUT_STATUS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "EndpointSlice",
        "LimitRange",
        "NetworkPolicy",
        "PriorityClass",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
        "StorageClass",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    }
)


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one object, and why, if it is not healthy."""

    status: str
    message: str | None = None
    pods_ready: int = 0
    pods_total: int = 0


_GOOD = Health(HEALTHY)


def health_of(obj: Object | None) -> Health:
    """The health of an object as the API server shows it; None is one that is not there."""
    if obj is None:
        return Health(FAILING, "It is not in the cluster.")
    if obj["metadata"].get("deletionTimestamp"):
        return Health(DEGRADED, "It is being deleted.")
    status = obj.get("status") or {}
    generation = obj["metadata"].get("generation")
    observed = status.get("observedGeneration")
    if isinstance(generation, int) and isinstance(observed, int) and observed < generation:
        return Health(DEGRADED, "Its controller has not seen the latest change yet.")
    rule = _RULES.get(obj["kind"], _of_conditions)
    return rule(obj.get("spec") or {}, status)


def overall(statuses: Iterable[str]) -> str:
    """The worst of them; healthy if there are none."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), HEALTHY)


def summary_of(healths: Mapping[Identity, Health]) -> dict[str, Any]:
    """What the broker keeps of the health of a stack: the objects that are not healthy come first, at most 100."""
    ordered = sorted(healths.items(), key=lambda pair: (_WORST_FIRST.index(pair[1].status), pair[0]))
    return {
        "pods_ready": sum(health.pods_ready for health in healths.values()),
        "pods_total": sum(health.pods_total for health in healths.values()),
        "conditions": sorted({health.message for health in healths.values() if health.message})[:20],
        "resources": [
            {
                "kind": identity.kind,
                "name": identity.name,
                "namespace": identity.namespace,
                "ready": health.status == HEALTHY,
                "message": health.message,
            }
            for identity, health in ordered[:100]
        ],
    }


def has_condition(obj: Object, name: str) -> bool:
    """Whether the status of an object says that the condition is true."""
    return _is_true(_conditions(obj.get("status") or {}), name)


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = status.get("conditions")
    if not isinstance(found, list):
        return {}
    return {str(each.get("type")): each for each in found if isinstance(each, dict)}


def _is_true(conditions: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    return conditions.get(name, {}).get("status") == "True"


def _words(condition: Mapping[str, Any]) -> str:
    reason, message = condition.get("reason"), condition.get("message")
    return ": ".join(str(word) for word in (reason, message) if word)[:500] or str(condition.get("type"))


def _rollout(ready: int, updated: int, total: int) -> Health:
    if updated < total:
        return Health(DEGRADED, f"{updated} of {total} pods are of the new version.", ready, total)
    if ready < total:
        return Health(DEGRADED, f"{ready} of {total} pods are ready.", ready, total)
    return Health(HEALTHY, None, ready, total)


def _count(values: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else default


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    total, ready = _count(spec, "replicas", 1), _count(status, "availableReplicas")
    if "observedGeneration" not in status:
        return Health(DEGRADED, "Its controller has not seen it yet.", 0, total)
    conditions = _conditions(status)
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Health(FAILING, _words(progressing), ready, total)
    if _is_true(conditions, "ReplicaFailure"):
        return Health(FAILING, _words(conditions["ReplicaFailure"]), ready, total)
    if _count(status, "replicas") > _count(status, "updatedReplicas"):
        return Health(DEGRADED, "Pods of the old version are still there.", ready, total)
    return _rollout(ready, _count(status, "updatedReplicas"), total)


def _replica_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    total = _count(spec, "replicas", 1)
    conditions = _conditions(status)
    ready = _count(status, "availableReplicas")
    if _is_true(conditions, "ReplicaFailure"):
        return Health(FAILING, _words(conditions["ReplicaFailure"]), ready, total)
    return _rollout(ready, total, total)


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    total, ready = _count(spec, "replicas", 1), _count(status, "readyReplicas")
    if "observedGeneration" not in status:
        return Health(DEGRADED, "Its controller has not seen it yet.", 0, total)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return _rollout(ready, total, total)
    partition = _count(strategy.get("rollingUpdate") or {}, "partition")
    updated = _count(status, "updatedReplicas")
    if partition:
        return _rollout(ready, min(total, updated + partition), total)
    if status.get("currentRevision") != status.get("updateRevision") and updated < total:
        return Health(DEGRADED, f"{updated} of {total} pods are of the new version.", ready, total)
    return _rollout(ready, total, total)


def _daemon_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    total, ready = _count(status, "desiredNumberScheduled"), _count(status, "numberReady")
    if "observedGeneration" not in status:
        return Health(DEGRADED, "Its controller has not seen it yet.")
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return _rollout(ready, total, total)
    return _rollout(ready, _count(status, "updatedNumberScheduled"), total)


def _job(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    conditions = _conditions(status)
    if _is_true(conditions, "Failed"):
        return Health(FAILING, _words(conditions["Failed"]))
    if _is_true(conditions, "Complete") or _is_true(conditions, "Suspended") or spec.get("suspend"):
        return _GOOD
    # A job that runs is as it should be; it is not degraded because it is not finished.
    return _GOOD if status.get("startTime") else Health(DEGRADED, "It has not started yet.")


def _volume_claim(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    if phase == "Bound":
        return _GOOD
    return Health(FAILING if phase == "Lost" else DEGRADED, f"The claim is {phase or 'not seen yet'}.")


def _definition(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    conditions = _conditions(status)
    if _is_true(conditions, "Established"):
        return _GOOD
    names = conditions.get("NamesAccepted", {})
    if names.get("status") == "False":
        return Health(FAILING, _words(names))
    return Health(DEGRADED, "The definition is not established yet.")


def _pod(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if str(waiting.get("reason")) in {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"}:
            return Health(FAILING, str(waiting["reason"]), 0, 1)
    if phase == "Succeeded" or (phase == "Running" and _is_true(_conditions(status), "Ready")):
        return Health(HEALTHY, None, 1, 1)
    return Health(FAILING if phase == "Failed" else DEGRADED, f"The pod is {phase or 'not seen yet'}.", 0, 1)


def _service(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if spec.get("type") != "LoadBalancer" or (status.get("loadBalancer") or {}).get("ingress"):
        return _GOOD
    return Health(DEGRADED, "The load balancer has no address yet.")


def _namespace(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    return _GOOD if status.get("phase") in {None, "Active"} else Health(DEGRADED, "It is being deleted.")


def _of_conditions(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    conditions = _conditions(status)
    for name in ("Stalled", "Failed"):
        if _is_true(conditions, name):
            return Health(FAILING, _words(conditions[name]))
    if _is_true(conditions, "Reconciling"):
        return Health(DEGRADED, _words(conditions["Reconciling"]))
    for name in ("Ready", "Available", "Healthy"):
        if name in conditions and not _is_true(conditions, name):
            is_false = conditions[name].get("status") == "False"
            return Health(DEGRADED if is_false else UNKNOWN, _words(conditions[name]))
    return _GOOD


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Health]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "PersistentVolumeClaim": _volume_claim,
    "CustomResourceDefinition": _definition,
    "Pod": _pod,
    "Service": _service,
    "Namespace": _namespace,
}
