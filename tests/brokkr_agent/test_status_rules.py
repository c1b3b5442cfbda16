"""When an object counts as healthy."""

from typing import Any

import pytest

from brokkr_agent.health import health_of, overall


def an_object(kind: str, spec: Any = None, status: Any = None, generation: int = 2) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": "x", "generation": generation},
        "spec": spec or {},
        "status": status or {},
    }


def condition(kind: str, status: str = "True", reason: str = "Because") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason}


ROLLED_OUT = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
SET = {"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 3}
DAEMONS = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberReady": 3,
}
THREE = {"replicas": 3}
LATE = condition("Progressing", "False", "ProgressDeadlineExceeded")
NO_PODS = condition("ReplicaFailure", "True", "FailedCreate")
ROLLING = {"currentRevision": "a", "updateRevision": "b"}
BALANCER = {"type": "LoadBalancer"}


@pytest.mark.parametrize(
    ("obj", "status"),
    [
        (an_object("Deployment", THREE, ROLLED_OUT), "healthy"),
        (an_object("Deployment", {"replicas": 0}, {"observedGeneration": 2}), "healthy"),
        (an_object("Deployment", THREE), "degraded"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"observedGeneration": 1}), "degraded"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"updatedReplicas": 2}), "degraded"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"replicas": 4}), "degraded"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"availableReplicas": 2}), "degraded"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"conditions": [LATE]}), "failing"),
        (an_object("Deployment", THREE, ROLLED_OUT | {"conditions": [NO_PODS]}), "failing"),
        (an_object("StatefulSet", THREE, SET), "healthy"),
        (an_object("StatefulSet", THREE, SET | {"readyReplicas": 1}), "degraded"),
        (an_object("StatefulSet", THREE, SET | ROLLING | {"updatedReplicas": 1}), "degraded"),
        (
            an_object("StatefulSet", THREE | {"updateStrategy": {"type": "OnDelete"}}, SET | ROLLING),
            "healthy",
        ),
        (an_object("DaemonSet", {}, DAEMONS), "healthy"),
        (an_object("DaemonSet", {}, DAEMONS | {"updatedNumberScheduled": 2}), "degraded"),
        (an_object("DaemonSet", {}, DAEMONS | {"numberReady": 2}), "degraded"),
        (an_object("Job", {}, {"startTime": "now"}), "healthy"),
        (an_object("Job"), "degraded"),
        (an_object("Job", {}, {"conditions": [condition("Complete")]}), "healthy"),
        (an_object("Job", {}, {"conditions": [condition("Failed")]}), "failing"),
        (an_object("PersistentVolumeClaim", {}, {"phase": "Bound"}), "healthy"),
        (an_object("PersistentVolumeClaim", {}, {"phase": "Pending"}), "degraded"),
        (an_object("PersistentVolumeClaim", {}, {"phase": "Lost"}), "failing"),
        (an_object("CustomResourceDefinition", {}, {"conditions": [condition("Established")]}), "healthy"),
        (an_object("CustomResourceDefinition"), "degraded"),
        (
            an_object("CustomResourceDefinition", {}, {"conditions": [condition("NamesAccepted", "False")]}),
            "failing",
        ),
        (an_object("Service"), "healthy"),
        (an_object("Service", BALANCER), "degraded"),
        (an_object("Service", BALANCER, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}), "healthy"),
        (an_object("Pod", {}, {"phase": "Running", "conditions": [condition("Ready")]}), "healthy"),
        (an_object("Pod", {}, {"phase": "Failed"}), "failing"),
        (an_object("Tree"), "healthy"),
        (an_object("Tree", {}, {"observedGeneration": 1}), "degraded"),
        (an_object("Tree", {}, {"conditions": [condition("Ready")]}), "healthy"),
        (an_object("Tree", {}, {"conditions": [condition("Ready", "False")]}), "degraded"),
        (an_object("Tree", {}, {"conditions": [condition("Ready", "Unknown")]}), "unknown"),
        (an_object("Tree", {}, {"conditions": [condition("Stalled"), condition("Ready")]}), "failing"),
        (an_object("Tree", {}, {"conditions": [condition("Reconciling")]}), "degraded"),
        (an_object("Tree", {}, {"conditions": "nonsense"}), "healthy"),
        (None, "failing"),
    ],
)
def test_the_status_rules(obj, status):
    assert health_of(obj).status == status
    assert (health_of(obj).message is None) == (status == "healthy")


def test_an_object_that_is_being_deleted_is_degraded():
    obj = an_object("ConfigMap")
    obj["metadata"]["deletionTimestamp"] = "2026-11-24T09:45:00Z"
    assert health_of(obj).status == "degraded"


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], "healthy"),
        (["healthy", "unknown"], "unknown"),
        (["unknown", "degraded"], "degraded"),
        (["degraded", "failing", "healthy"], "failing"),
    ],
)
def test_the_worst_object_counts(statuses, worst):
    assert overall(statuses) == worst
