"""The kinds that are built into Kubernetes: their groups, their scope, and where their pods are. Pure."""

from typing import Final

# Kinds that belong to no namespace, by their API group.
_CLUSTER_SCOPED: Final[dict[str, frozenset[str]]] = {
    "": frozenset({"ComponentStatus", "Namespace", "Node", "PersistentVolume"}),
    "admissionregistration.k8s.io": frozenset(
        {
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        }
    ),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "authentication.k8s.io": frozenset({"SelfSubjectReview", "TokenReview"}),
    "authorization.k8s.io": frozenset(
        {"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"}
    ),
    "certificates.k8s.io": frozenset({"CertificateSigningRequest", "ClusterTrustBundle"}),
    "extensions": frozenset({"PodSecurityPolicy"}),
    "flowcontrol.apiserver.k8s.io": frozenset({"FlowSchema", "PriorityLevelConfiguration"}),
    "internal.apiserver.k8s.io": frozenset({"StorageVersion"}),
    "networking.k8s.io": frozenset({"IPAddress", "IngressClass", "ServiceCIDR"}),
    "node.k8s.io": frozenset({"RuntimeClass"}),
    "policy": frozenset({"PodSecurityPolicy"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding"}),
    "resource.k8s.io": frozenset({"DeviceClass", "DeviceTaintRule", "ResourceSlice"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "storage.k8s.io": frozenset(
        {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}
    ),
    "storagemigration.k8s.io": frozenset({"StorageVersionMigration"}),
}
_BUILT_IN_GROUPS: Final = frozenset(_CLUSTER_SCOPED) | {
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
}
_DEFAULT_NAMESPACE: Final = "default"

# The fields that lead from a field of the object to the spec of its pods.
FieldPath = tuple[str | None, ...]
_TEMPLATE: Final[FieldPath] = ("spec", "template", "spec")
_POD_SPECS: Final[dict[tuple[str, str], FieldPath]] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): _TEMPLATE,
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): _TEMPLATE,
    **{
        (group, kind): _TEMPLATE
        for group in ("apps", "extensions")
        for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
    },
}


def is_built_in(group: str) -> bool:
    """Whether all kinds of the API group are part of Kubernetes."""
    return group in _BUILT_IN_GROUPS


def pod_spec_of(group: str, kind: str) -> FieldPath | None:
    """The way to the spec of the pods of a built-in kind; None for kinds without pods."""
    return _POD_SPECS.get((group, kind))


def compared_namespace(group: str, kind: str, namespace: str) -> str:
    """The namespace in which the cluster has the object, as far as that is known.

    Of other kinds, the broker does not know whether they belong to a namespace: theirs stays as it is written.
    """
    if not is_built_in(group):
        return namespace
    if kind in _CLUSTER_SCOPED.get(group, frozenset()):
        return ""
    return namespace or _DEFAULT_NAMESPACE
