"""Looks at the health of what was applied: one list for each kind, however many stacks there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from brokkr_agent.appliance import AGENT_LABEL
from brokkr_agent.cluster import Cluster, ClusterAway, ClusterError
from brokkr_agent.health import HEALTHY, UNKNOWN, WITHOUT_STATUS, Health, health_of, overall, summary_of
from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity, Object

# The broker forgets health that is not repeated for five minutes.
_REPEATED_AFTER = 120.0

Said = tuple[str, str, dict[str, Any]]


@dataclass(slots=True)
class Observer:
    """Remembers what was said of each version, so that only changes are said, and the same only now and then."""

    cluster: Cluster
    agent_id: str
    _said: dict[str, tuple[str, dict[str, Any], float]] = field(default_factory=dict)

    def look(self, inventories: Iterable[Inventory], now: float) -> list[Said]:
        """The version, health status and summary of each stack of which that is due. Raises ClusterAway."""
        complete = [inventory for inventory in inventories if inventory.is_complete]
        found = self._found(complete)
        news: list[Said] = []
        said = {}
        for inventory in complete:
            healths = {entry.identity: _health(entry, found) for entry in sorted(inventory.entries)}
            status = overall(health.status for health in healths.values())
            summary = summary_of(healths)
            before = self._said.get(inventory.version_id)
            if before is None or before[:2] != (status, summary) or before[2] + _REPEATED_AFTER <= now:
                news.append((inventory.version_id, status, summary))
                said[inventory.version_id] = (status, summary, now)
            else:
                said[inventory.version_id] = before
        self._said = said
        return news

    def _found(
        self, inventories: Iterable[Inventory]
    ) -> dict[tuple[str, str], dict[Identity, Object] | None]:
        """The objects by group and kind, None for a kind that cannot be listed."""
        api_versions = {
            (entry.identity.group, entry.identity.kind): entry.api_version
            for inventory in inventories
            for entry in inventory.entries
            if entry.identity.kind not in WITHOUT_STATUS
        }
        return {key: self._listed(*key, api_version) for key, api_version in api_versions.items()}

    def _listed(self, group: str, kind: str, api_version: str) -> dict[Identity, Object] | None:
        try:
            resource = self.cluster.resource(api_version, kind)
            listed = self.cluster.list(resource, labels=f"{AGENT_LABEL}={self.agent_id}")
            return {
                Identity(group, kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): {
                    **obj,
                    "kind": kind,
                }
                for obj in listed
            }
        except ClusterAway:
            raise
        except ClusterError:
            return None


def _health(entry: Entry, found: dict[tuple[str, str], dict[Identity, Object] | None]) -> Health:
    identity = entry.identity
    if identity.kind in WITHOUT_STATUS:
        return Health(HEALTHY)
    objects = found[identity.group, identity.kind]
    if objects is None:
        return Health(UNKNOWN, "The agent may not list this kind, or the cluster does not know it.")
    return health_of(objects.get(identity))
