"""The ClusterRole that the agent needs for what it has applied, as a suggestion."""

from collections import defaultdict
from collections.abc import Iterable

import yaml

from brokkr_agent.cluster import Cluster, UnknownKind
from brokkr_agent.inventory import Inventory

_VERBS = ["create", "delete", "get", "list", "patch"]
_RBAC = "rbac.authorization.k8s.io"
_HEADER = """\
# What the agent needs for what it has applied until now, its inventories, its Lease, diagnostics and logs of Jobs.
"""
_GIVES_RIGHTS = """\
# Its stacks have roles. An agent cannot give rights that it has not: add the rights that they give, or the verbs
# `escalate` and `bind` on them.
"""
_NOT_SERVED = "# The cluster does not serve this kind now, so it is left out: {}.\n"


def cluster_role(inventories: Iterable[Inventory], cluster: Cluster, *, agent_id: str) -> str:
    """The manifest as YAML. Raises ClusterError.

    It is bound to nobody: whoever reads it decides.
    """
    applied = sorted({entry for inventory in inventories for entry in inventory.entries})
    resources: defaultdict[str, set[str]] = defaultdict(set)
    resources[""].add("configmaps")
    unknown = set()
    kinds = {(entry.identity.group, entry.identity.kind): entry.api_version for entry in applied}
    for (group, kind), api_version in kinds.items():
        try:
            plural = cluster.resource_in_any_version(api_version, kind).plural
        except UnknownKind:
            unknown.add(f"{kind} in {api_version}")
        else:
            resources[group].add(plural)
    lease = f"brokkr-agent-{agent_id}"
    rules: list[dict[str, object]] = [
        {"apiGroups": [group], "resources": sorted(names), "verbs": _VERBS}
        for group, names in sorted(resources.items())
    ]
    rules += [
        {"apiGroups": [""], "resources": ["events", "pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resourceNames": [lease],
            "resources": ["leases"],
            "verbs": ["get", "update"],
        },
    ]
    role = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": lease,
            "labels": {"app.kubernetes.io/name": "brokkr-agent", "app.kubernetes.io/instance": agent_id},
        },
        "rules": rules,
    }
    notes = _HEADER + (_GIVES_RIGHTS if _RBAC in resources else "")
    notes += "".join(_NOT_SERVED.format(each) for each in sorted(unknown))
    return notes + yaml.safe_dump(role, sort_keys=False)
