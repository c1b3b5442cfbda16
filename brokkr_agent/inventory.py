"""What the agent has applied of each stack, and the form in which the cluster keeps it: ConfigMaps, several if large.

Before a version is applied, its objects are added to the inventory. After everything was applied and pruned, the
inventory has only them. So whatever stops the agent in between, every object that it made is in an inventory.

Several ConfigMaps cannot be written at once. They are written under new names, of the next generation, before the older
ones are deleted; an inventory that is read while there are two generations has the objects of both.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from brokkr_agent.manifests import Identity, Object

# A ConfigMap holds 1 MiB; the longest names that Kubernetes allows make entries of some 700 bytes.
ENTRIES_IN_ONE = 1000
STACK_LABEL = "brokkr.io/inventory-of-stack"
AGENT_LABEL = "brokkr.io/inventory-of-agent"
NAME_PREFIX = "brokkr-inventory-"
_KEY = "inventory"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An object, and the version of the API by which it was applied."""

    identity: Identity
    version: str

    @property
    def api_version(self) -> str:
        """As objects have it."""
        return f"{self.identity.group}/{self.version}" if self.identity.group else self.version


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was applied of one stack.

    `sequence_id` is the highest that was ever applied, `version_id` and `checksum` are of the version applied last.
    `is_complete` tells that all of it was applied, and everything else pruned.
    """

    stack_id: str
    stack_name: str
    version_id: str
    sequence_id: int
    checksum: str
    is_complete: bool
    entries: frozenset[Entry]

    @property
    def identities(self) -> frozenset[Identity]:
        return frozenset(entry.identity for entry in self.entries)

    def without(self, gone: Iterable[Identity]) -> "Inventory":
        """The inventory without these objects."""
        left_out = set(gone)
        kept = frozenset(entry for entry in self.entries if entry.identity not in left_out)
        return replace(self, entries=kept)


class UnreadableInventory(Exception):
    """The ConfigMaps do not say what was applied. Nothing of the stack may be removed then."""


def config_maps_of(
    inventory: Inventory, *, agent_id: str, namespace: str, generation: int = 1
) -> list[Object]:
    """The ConfigMaps that keep an inventory."""
    entries = sorted(inventory.entries)
    parts = [
        entries[start : start + ENTRIES_IN_ONE] for start in range(0, max(1, len(entries)), ENTRIES_IN_ONE)
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"{NAME_PREFIX}{inventory.stack_id}-{generation}-{number}",
                "namespace": namespace,
                "labels": {STACK_LABEL: inventory.stack_id, AGENT_LABEL: agent_id},
            },
            "data": {
                _KEY: json.dumps(_part(inventory, part, generation, number, len(parts)), sort_keys=True)
            },
        }
        for number, part in enumerate(parts)
    ]


def inventory_of(config_maps: Iterable[Object]) -> Inventory:
    """The inventory of one stack from its ConfigMaps.

    If the agent stopped while it wrote, there are two generations. Then the inventory has the objects of both, and is
    not complete. Raises UnreadableInventory.
    """
    parts = [_read(config_map) for config_map in config_maps]
    generations: dict[int, set[int]] = {}
    for part in parts:
        generations.setdefault(part["generation"], set()).add(part["part"])
    whole = [part for part in parts if generations[part["generation"]] == set(range(part["parts"]))]
    if not whole:
        raise UnreadableInventory(f"A part of the inventory of stack {parts[0]['stack_id']} is missing.")
    latest = max(whole, key=lambda part: (part["generation"], part["sequence_id"]))
    return Inventory(
        stack_id=latest["stack_id"],
        stack_name=latest["stack_name"],
        version_id=latest["version_id"],
        sequence_id=max(part["sequence_id"] for part in parts),
        checksum=latest["checksum"],
        is_complete=len(generations) == 1 and latest["is_complete"],
        entries=frozenset(entry for part in parts for entry in part["entries"]),
    )


def inventories_of(config_maps: Iterable[Object]) -> tuple[dict[str, Inventory], set[str]]:
    """The inventories by stack, and the stacks whose inventory cannot be read."""
    by_stack: dict[str, list[Object]] = {}
    for config_map in config_maps:
        by_stack.setdefault(config_map["metadata"]["labels"][STACK_LABEL], []).append(config_map)
    readable, unreadable = {}, set()
    for stack_id, parts in by_stack.items():
        try:
            inventory = inventory_of(parts)
        except UnreadableInventory:
            unreadable.add(stack_id)
            continue
        if inventory.stack_id == stack_id:
            readable[stack_id] = inventory
        else:
            unreadable.add(stack_id)
    return readable, unreadable


def _part(
    inventory: Inventory, entries: Iterable[Entry], generation: int, number: int, parts: int
) -> dict[str, object]:
    return {
        "generation": generation,
        "stack_id": inventory.stack_id,
        "stack_name": inventory.stack_name,
        "version_id": inventory.version_id,
        "sequence_id": inventory.sequence_id,
        "checksum": inventory.checksum,
        "is_complete": inventory.is_complete,
        "part": number,
        "parts": parts,
        "entries": [
            [
                each.identity.group,
                each.version,
                each.identity.kind,
                each.identity.namespace,
                each.identity.name,
            ]
            for each in entries
        ],
    }


_TYPES: Mapping[str, type] = {
    "stack_id": str,
    "stack_name": str,
    "version_id": str,
    "sequence_id": int,
    "checksum": str,
    "is_complete": bool,
    "generation": int,
    "part": int,
    "parts": int,
    "entries": list,
}


def _read(config_map: Object) -> Object:
    try:
        part = json.loads(config_map["data"][_KEY])
        if not all(isinstance(part[name], kind) for name, kind in _TYPES.items()):
            raise UnreadableInventory("A field has the wrong type.")
        entries = []
        for group, version, kind, namespace, name in part["entries"]:
            entries.append(Entry(Identity(str(group), str(kind), str(namespace), str(name)), str(version)))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableInventory(f"{config_map['metadata']['name']} cannot be read.") from error
    return {**part, "entries": entries}
