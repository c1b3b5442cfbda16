"""The role that the agent proposes is as narrow as its stacks."""

import yaml

from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity
from brokkr_agent.rights import cluster_role
from tests.brokkr_agent.fake_cluster import FakeCluster


def inventory_of(*kinds: tuple[str, str]) -> Inventory:
    entries = frozenset(Entry(Identity(group, kind, "shop", "a"), "v1") for group, kind in kinds)
    return Inventory("stack", "shop", "version", 1, "0", is_complete=True, entries=entries)


def text_of(*kinds: tuple[str, str]) -> str:
    return cluster_role([inventory_of(*kinds)], FakeCluster().connect(), agent_id="1234")


def test_it_is_a_manifest_that_names_the_kinds_of_the_inventories_and_no_others():
    role = yaml.safe_load(text_of(("apps", "Deployment"), ("", "Namespace")))
    assert (role["apiVersion"], role["kind"]) == ("rbac.authorization.k8s.io/v1", "ClusterRole")
    assert role["metadata"]["name"] == "brokkr-agent-1234"
    writing, reading = ["create", "delete", "get", "list", "patch"], ["get", "list"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps", "namespaces"], "verbs": writing},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": writing},
        {"apiGroups": [""], "resources": ["events", "pods", "pods/log"], "verbs": reading},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resourceNames": ["brokkr-agent-1234"],
            "resources": ["leases"],
            "verbs": ["get", "update"],
        },
    ]


def test_a_kind_that_is_not_served_is_left_out_and_named():
    text = text_of(("", "Namespace"), ("example.com", "Tree"))
    assert "Tree in example.com/v1" in text
    assert "example.com" not in str(yaml.safe_load(text))
