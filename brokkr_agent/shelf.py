"""The inventories in the cluster: reading all of them once, and writing one."""

import re
from collections.abc import Sequence
from dataclasses import replace

from brokkr_agent.cluster import Cluster, ClusterError, Resource
from brokkr_agent.inventory import (
    AGENT_LABEL,
    ENTRIES_IN_ONE,
    NAME_PREFIX,
    STACK_LABEL,
    Inventory,
    config_maps_of,
    inventories_of,
)

_CONFIG_MAPS = Resource("", "v1", "configmaps", namespaced=True)


class Shelf:
    """The inventories of one agent, in one namespace. Only the agent that leads writes them."""

    def __init__(self, cluster: Cluster, agent_id: str) -> None:
        self._cluster, self._agent_id = cluster, agent_id
        self.inventories: dict[str, Inventory] = {}
        self.unreadable: set[str] = set()
        # The names of the ConfigMaps of each stack.
        self._names: dict[str, list[str]] = {}
        self._is_read = False

    def read(self) -> None:
        """Read all inventories, unless they were read before. Raises ClusterError."""
        if self._is_read:
            return
        found = list(
            self._cluster.list(
                _CONFIG_MAPS,
                namespace=self._cluster.namespace,
                labels=f"{AGENT_LABEL}={self._agent_id},{STACK_LABEL}",
            )
        )
        self.inventories, self.unreadable = inventories_of(found)
        self._names = {}
        for config_map in found:
            metadata = config_map["metadata"]
            self._names.setdefault(metadata["labels"][STACK_LABEL], []).append(metadata["name"])
        self._is_read = True

    def forget(self) -> None:
        """Read anew at the next time, because somebody else may have written, or a write may have failed halfway."""
        self._is_read = False

    def write(self, inventory: Inventory) -> None:
        """Keep the inventory. Raises ClusterError; then it is not known which parts were written."""
        stack_id = inventory.stack_id
        old = self._names.get(stack_id, [])
        generation = max(map(_generation, old), default=1)
        if len(inventory.entries) > ENTRIES_IN_ONE or len(old) > 1:
            generation += 1
        config_maps = config_maps_of(
            inventory, agent_id=self._agent_id, namespace=self._cluster.namespace, generation=generation
        )
        names = [config_map["metadata"]["name"] for config_map in config_maps]
        try:
            for config_map in config_maps:
                self._cluster.apply(_CONFIG_MAPS, config_map, force=True)
            self._delete([name for name in old if name not in names])
        except ClusterError:
            self.forget()
            raise
        self._names[stack_id] = names
        self.inventories[stack_id] = inventory

    def remove(self, stack_id: str) -> None:
        """Delete the inventory of a stack of which nothing is left. Raises ClusterError."""
        if len(self._names.get(stack_id, [])) > 1:
            # Some of several parts alone could not be read if the agent stopped in between.
            self.write(replace(self.inventories[stack_id], entries=frozenset(), is_complete=False))
        try:
            self._delete(self._names.get(stack_id, []))
        except ClusterError:
            self.forget()
            raise
        self._names.pop(stack_id, None)
        self.inventories.pop(stack_id, None)

    def _delete(self, names: Sequence[str]) -> None:
        for name in names:
            found = self._cluster.get(_CONFIG_MAPS, self._cluster.namespace, name)
            if found is not None:
                uid = str(found["metadata"]["uid"])
                self._cluster.delete(_CONFIG_MAPS, self._cluster.namespace, name, uid=uid)


def _generation(name: str) -> int:
    found = re.fullmatch(rf"{NAME_PREFIX}.+-([0-9]+)-[0-9]+", name)
    return int(found[1]) if found else 0
