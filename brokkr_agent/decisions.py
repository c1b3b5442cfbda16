"""What to apply and what to remove. Pure: from the broker's answer and the inventories, and nothing else.

Absence never deletes. A stack goes only by a removal that names it and is newer than what was applied of it; an object
goes only when a newer version of its stack, which was applied as a whole, does not have it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity

# More removals at once than this share of at least so many stacks wait for a confirmation.
REMOVED_SHARE = 0.5
SMALLEST_FLEET = 5


@dataclass(frozen=True, slots=True)
class Version:
    """A version that the agent should have. `text` is None if the agent said that it holds it."""

    id: str
    stack_id: str
    stack_name: str
    sequence_id: int
    checksum: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Removal:
    """A stack that the agent must remove."""

    id: str
    stack_id: str
    sequence_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """All that the agent should have, and all that it must remove."""

    versions: tuple[Version, ...]
    removals: tuple[Removal, ...]


@dataclass(slots=True)
class Decision:
    """What a round does. `refused` has versions and removals that cannot be carried out, by id, with the sentence."""

    apply: list[Version] = field(default_factory=list)
    remove: list[Removal] = field(default_factory=list)
    # Removals of stacks of which nothing is in the cluster.
    done: list[Removal] = field(default_factory=list)
    held_back: list[Removal] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def state_of(answer: Mapping[str, Any]) -> State | None:
    """The state in an answer of the broker, None if it has none. Raises KeyError or TypeError if it is malformed."""
    state = answer["state"]
    if state is None:
        return None
    return State(
        tuple(
            Version(
                each["id"],
                each["stack_id"],
                each["stack_name"],
                each["sequence_id"],
                each["yaml_checksum"],
                each["yaml_content"],
            )
            for each in state["versions"]
        ),
        tuple(
            Removal(each["id"], each["stack_id"], each["sequence_id"], each["reason"])
            for each in state["removals"]
        ),
    )


def decide(
    state: State,
    inventories: Mapping[str, Inventory],
    *,
    unreadable: Collection[str] = (),
    confirmed: Collection[str] = (),
) -> Decision:
    """What to do for a state. `inventories` has those of all stacks; `confirmed` has ids of removals."""
    decision = Decision()
    wanted = {version.stack_id for version in state.versions}
    for version in state.versions:
        inventory = inventories.get(version.stack_id)
        if version.stack_id in unreadable:
            decision.refused[version.id] = (
                "The inventory of the stack cannot be read. Nothing is applied or removed until it is mended."
            )
        elif inventory is None or not is_applied(version, inventory):
            decision.apply.append(version)
    for removal in state.removals:
        inventory = inventories.get(removal.stack_id)
        if removal.stack_id in unreadable:
            decision.refused[removal.id] = "The inventory of the stack cannot be read. Nothing is removed."
        elif removal.stack_id in wanted:
            decision.refused[removal.id] = (
                "The agent shall also have a version of this stack. Nothing is removed."
            )
        elif inventory is None:
            decision.done.append(removal)
        elif removal.sequence_id <= inventory.sequence_id and removal.id not in confirmed:
            # An old answer, or a broker that was restored from a backup.
            decision.held_back.append(removal)
        else:
            decision.remove.append(removal)
    _hold_back_many(decision, len(inventories), confirmed)
    return decision


def _hold_back_many(decision: Decision, managed: int, confirmed: Collection[str]) -> None:
    if managed < SMALLEST_FLEET or len(decision.remove) <= REMOVED_SHARE * managed:
        return
    unconfirmed = [removal for removal in decision.remove if removal.id not in confirmed]
    decision.remove = [removal for removal in decision.remove if removal.id in confirmed]
    decision.held_back += unconfirmed


def is_applied(version: Version, inventory: Inventory) -> bool:
    """Whether the version was applied as a whole, and nothing else after it."""
    return inventory.is_complete and inventory.version_id == version.id


def inventory_before(version: Version, entries: Collection[Entry], present: Inventory | None) -> Inventory:
    """The inventory to write before the version is applied: with the objects that were there and the new ones."""
    old = present.entries if present else frozenset()
    replaced = {entry.identity for entry in entries}
    return Inventory(
        stack_id=version.stack_id,
        stack_name=version.stack_name,
        version_id=version.id,
        sequence_id=max(version.sequence_id, present.sequence_id if present else 0),
        checksum=version.checksum,
        is_complete=False,
        entries=frozenset(entries) | {entry for entry in old if entry.identity not in replaced},
    )


def to_prune(version: Version, entries: Collection[Entry], present: Inventory) -> frozenset[Entry]:
    """The objects to delete after all of the version was applied.

    None if the version is older than one that was applied: what the newer one made is left, and stays in the inventory.
    """
    if version.sequence_id < present.sequence_id:
        return frozenset()
    new = {entry.identity for entry in entries}
    return frozenset(entry for entry in present.entries if entry.identity not in new)


def occupied_namespaces(stack_id: str, inventories: Mapping[str, Inventory]) -> dict[str, str]:
    """The namespaces in which other stacks have objects, with the name of one of these stacks."""
    return {
        entry.identity.namespace: inventory.stack_name
        for other, inventory in inventories.items()
        if other != stack_id
        for entry in inventory.entries
        if entry.identity.namespace
    }


def claimed_elsewhere(
    entries: Collection[Entry],
    stack_id: str,
    inventories: Mapping[str, Inventory],
    given_up: Mapping[str, Collection[Identity]],
) -> dict[Identity, str]:
    """The objects that another stack has, with its name.

    `given_up` has, by stack, the objects that it shall not have any more: these may be taken over.
    """
    owners = {
        entry.identity: inventory
        for other, inventory in inventories.items()
        if other != stack_id
        for entry in inventory.entries
        if entry.identity not in given_up.get(other, ())
    }
    return {
        entry.identity: owners[entry.identity].stack_name for entry in entries if entry.identity in owners
    }
