"""The rules of RBAC that the agent needs for what it has applied. Pure."""

from collections.abc import Iterable, Mapping

import yaml

from brokkr_agent.inventory import Inventory

_VERBS = ["get", "list", "create", "patch", "delete"]


def rules_for(inventories: Iterable[Inventory], plurals: Mapping[tuple[str, str], str]) -> str:
    """The rules as YAML, for `rules` of the chart. `plurals` has the names of kinds in URLs, by group and kind."""
    by_group: dict[str, set[str]] = {}
    for inventory in inventories:
        for identity in inventory.identities:
            plural = plurals[identity.group, identity.kind]
            by_group.setdefault(identity.group, set()).add(plural)
    rules = [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": _VERBS}
        for group, resources in sorted(by_group.items())
    ]
    rules.append({"apiGroups": [""], "resources": ["events", "pods", "pods/log"], "verbs": ["get", "list"]})
    return yaml.safe_dump(rules, sort_keys=False)
