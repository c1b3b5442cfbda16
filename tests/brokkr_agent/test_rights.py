"""The rules that the agent proposes are as narrow as its stacks."""

import yaml

from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity
from brokkr_agent.rights import rules_for


def test_the_rules_name_the_kinds_of_the_inventories_and_no_others():
    entries = frozenset(
        Entry(Identity(group, kind, "shop", name), "v1")
        for group, kind, name in [
            ("", "ConfigMap", "a"),
            ("", "ConfigMap", "b"),
            ("apps", "Deployment", "web"),
            ("example.com", "Tree", "oak"),
        ]
    )
    inventory = Inventory("stack", "shop", "version", 1, "0", is_complete=True, entries=entries)
    plurals = {
        ("", "ConfigMap"): "configmaps",
        ("apps", "Deployment"): "deployments",
        ("example.com", "Tree"): "trees",
    }
    rules = yaml.safe_load(rules_for([inventory], plurals))
    granted = {(rule["apiGroups"][0], each): rule["verbs"] for rule in rules for each in rule["resources"]}
    writing, reading = ["get", "list", "create", "patch", "delete"], ["get", "list"]
    assert granted == {
        ("", "configmaps"): writing,
        ("apps", "deployments"): writing,
        ("example.com", "trees"): writing,
        **{("", each): reading for each in ("events", "pods", "pods/log")},
    }
