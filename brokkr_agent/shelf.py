"""The inventories in the cluster: reading all of them once, and writing one."""

from brokkr_agent.cluster import Cluster, ClusterError, Resource
from brokkr_agent.inventory import (
    AGENT_LABEL,
    STACK_LABEL,
    Inventory,
    config_map_name,
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
        self._parts: dict[str, int] = {}
        self._is_read = False

    def read(self) -> None:
        """Read all inventories, unless they were read before. Raises ClusterError."""
        if self._is_read:
            return
        found = list(
            self._cluster.list(
                _CONFIG_MAPS, namespace=self._cluster.namespace, labels=f"{AGENT_LABEL}={self._agent_id}"
            )
        )
        self.inventories, self.unreadable = inventories_of(found)
        self._parts = {}
        for config_map in found:
            stack_id = config_map["metadata"]["labels"][STACK_LABEL]
            number = int(config_map["metadata"]["name"].rpartition("-")[2])
            self._parts[stack_id] = max(self._parts.get(stack_id, 0), number + 1)
        self._is_read = True

    def forget(self) -> None:
        """Read anew at the next time, because somebody else may have written, or a write may have failed halfway."""
        self._is_read = False

    def write(self, inventory: Inventory) -> None:
        """Keep the inventory. Raises ClusterError; then it is not known which parts were written."""
        stack_id = inventory.stack_id
        config_maps = config_maps_of(inventory, agent_id=self._agent_id, namespace=self._cluster.namespace)
        try:
            for config_map in config_maps:
                self._cluster.apply(_CONFIG_MAPS, config_map, force=True)
            self._delete_parts(stack_id, len(config_maps))
        except ClusterError:
            self.forget()
            raise
        self._parts[stack_id] = len(config_maps)
        self.inventories[stack_id] = inventory

    def remove(self, stack_id: str) -> None:
        """Delete the inventory of a stack of which nothing is left. Raises ClusterError."""
        try:
            self._delete_parts(stack_id, 0)
        except ClusterError:
            self.forget()
            raise
        self._parts.pop(stack_id, None)
        self.inventories.pop(stack_id, None)

    def _delete_parts(self, stack_id: str, first: int) -> None:
        # From the last to the first, so that what is left never looks like a whole inventory of fewer parts.
        for number in reversed(range(first, self._parts.get(stack_id, 0))):
            name = config_map_name(stack_id, number)
            found = self._cluster.get(_CONFIG_MAPS, self._cluster.namespace, name)
            if found is not None:
                self._cluster.delete(
                    _CONFIG_MAPS, self._cluster.namespace, name, uid=str(found["metadata"]["uid"])
                )
