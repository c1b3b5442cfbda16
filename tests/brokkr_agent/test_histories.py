"""Whatever answers come, late, twice, out of order, empty or from an older broker: only what is named is removed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from brokkr_agent.decisions import Removal, State, Version, decide, inventory_before, to_prune
from brokkr_agent.inventory import Entry, Inventory, config_maps_of, inventories_of
from brokkr_agent.manifests import Identity

STACKS = [f"stack-{number}" for number in range(6)]
OBJECTS = [Entry(Identity("", "ConfigMap", "default", name), "v1") for name in "abcd"]
# A version is a number; which stack it is of and which objects it has follows from it, as in a broker.
VERSIONS = st.integers(1, 40)


def stack_of(number: int) -> str:
    return STACKS[number % len(STACKS)]


def entries_of(number: int) -> list[Entry]:
    stack = stack_of(number)
    wanted = [entry for place, entry in enumerate(OBJECTS) if (number >> 2) & (1 << place) or not place]
    return [replace(each, identity=replace(each.identity, namespace=stack)) for each in wanted]


def version(number: int) -> Version:
    stack = stack_of(number)
    return Version(f"version-{number}", stack, stack, number, f"checksum-{number}", "text")


def removal(number: int) -> Removal:
    return Removal(f"removal-{number}", stack_of(number), number, "stack_deleted")


def one_of_each_stack(numbers: list[int]) -> list[int]:
    return list({stack_of(number): number for number in numbers}.values())


ANSWERS = st.builds(
    lambda versions, removals: State(
        tuple(version(number) for number in one_of_each_stack(versions)),
        tuple(removal(number) for number in one_of_each_stack(removals)),
    ),
    st.lists(VERSIONS, max_size=6),
    st.lists(VERSIONS, max_size=6),
)
STEPS = st.tuples(ANSWERS, st.booleans(), st.sets(VERSIONS.map("removal-{}".format), max_size=2))


class Twin:
    """A cluster that does what is decided, and remembers why everything was deleted."""

    def __init__(self) -> None:
        self.inventories: dict[str, Inventory] = {}
        self.objects: set[Identity] = set()

    def take(self, state: State, *, works: bool, confirmed: set[str]) -> None:
        """One round. If nothing `works`, everything is applied only in part."""
        decision = decide(state, self.inventories, confirmed=confirmed)
        for each in decision.apply:
            entries = entries_of(each.sequence_id)
            present = self.inventories.get(each.stack_id)
            before = self.inventories[each.stack_id] = inventory_before(each, entries, present)
            self.objects |= {entry.identity for entry in entries}
            if works:
                gone = {entry.identity for entry in to_prune(each, entries, before)}
                self._delete(gone, because=each.sequence_id >= before.sequence_id)
                self.inventories[each.stack_id] = replace(before.without(gone), is_complete=True)
        for removed in decision.remove:
            gone_stack = self.inventories.pop(removed.stack_id)
            is_newer = removed.sequence_id > gone_stack.sequence_id
            because = removed in state.removals and (is_newer or removed.id in confirmed)
            self._delete(gone_stack.identities, because=because)

    def _delete(self, identities: Any, *, because: bool) -> None:
        assert because or not identities
        self.objects -= set(identities)


@examples(max_examples=200)
@given(st.lists(STEPS, max_size=12))
def test_nothing_is_deleted_but_by_a_newer_version_or_a_removal_that_names_it(history):
    cluster = Twin()
    for state, works, confirmed in history:
        named = {each.stack_id for each in (*state.versions, *state.removals)}
        before = set(cluster.objects)
        cluster.take(state, works=works, confirmed=confirmed)
        gone = before - cluster.objects
        assert {identity.namespace for identity in gone} <= named
        # Whatever is left in the cluster is in an inventory, so that it can be pruned later.
        assert cluster.objects == {
            each for inventory in cluster.inventories.values() for each in inventory.identities
        }


@examples(max_examples=50)
@given(st.lists(STEPS, max_size=6))
def test_an_empty_answer_changes_nothing(history):
    cluster = Twin()
    for state, works, confirmed in history:
        cluster.take(state, works=works, confirmed=confirmed)
    before = (dict(cluster.inventories), set(cluster.objects))
    cluster.take(State((), ()), works=True, confirmed=set())
    assert (cluster.inventories, cluster.objects) == before


@examples(max_examples=50)
@given(STEPS)
def test_the_same_answer_twice_is_the_same_as_once(step):
    state, _, _ = step
    cluster = Twin()
    cluster.take(state, works=True, confirmed=set())
    before = (dict(cluster.inventories), set(cluster.objects))
    cluster.take(state, works=True, confirmed=set())
    assert (cluster.inventories, cluster.objects) == before


def fleet(count: int) -> dict[str, Inventory]:
    return {
        f"stack-{number}": Inventory(
            f"stack-{number}", "", "v", 1, "c", is_complete=True, entries=frozenset()
        )
        for number in range(count)
    }


def removals(count: int) -> State:
    return State((), tuple(Removal(f"r-{number}", f"stack-{number}", 2, "") for number in range(count)))


@pytest.mark.parametrize(
    ("managed", "removed", "held_back"), [(4, 4, 0), (5, 2, 0), (5, 3, 3), (10, 5, 0), (10, 6, 6)]
)
def test_more_removals_than_half_of_five_stacks_wait(managed, removed, held_back):
    decision = decide(removals(removed), fleet(managed))
    assert (len(decision.remove), len(decision.held_back)) == (removed - held_back, held_back)


def test_confirmed_removals_are_carried_out_and_the_others_wait():
    decision = decide(removals(5), fleet(5), confirmed={"r-1", "r-2"})
    assert [each.id for each in decision.remove] == ["r-1", "r-2"]
    assert len(decision.held_back) == 3


def test_a_stack_whose_inventory_cannot_be_read_is_left_alone_and_named():
    state = State((version(1),), (removal(2),))
    decision = decide(state, {}, unreadable={stack_of(1), stack_of(2)})
    assert (decision.apply, decision.remove, decision.done) == ([], [], [])
    assert decision.refused.keys() == {"version-1", "removal-2"}


def test_an_old_removal_waits_for_a_confirmation():
    inventories = {stack_of(8): inventory_before(version(8), entries_of(8), None)}
    old = State((), (removal(2),))
    assert decide(old, inventories).held_back == [removal(2)]
    assert decide(old, inventories, confirmed={"removal-2"}).remove == [removal(2)]


@pytest.mark.parametrize("count", [0, 1, 1000, 2500])
def test_an_inventory_is_read_as_it_was_written(count):
    entries = frozenset(Entry(Identity("apps", "Deployment", "shop", f"d{n}"), "v1") for n in range(count))
    inventory = Inventory("s", "shop", "v", 7, "c", is_complete=True, entries=entries)
    config_maps = config_maps_of(inventory, agent_id="a", namespace="brokkr")
    assert len(config_maps) == max(1, -(-count // 1000))
    assert inventories_of(config_maps) == ({"s": inventory}, set())


@pytest.mark.parametrize("written", [1, 2, 3])
def test_an_inventory_that_was_written_in_part_has_the_objects_of_before(written):
    entries = [Entry(Identity("", "ConfigMap", "shop", f"c{n}"), "v1") for n in range(2500)]
    old = Inventory("s", "shop", "v1", 1, "c1", is_complete=True, entries=frozenset(entries[:1200]))
    new = Inventory("s", "shop", "v2", 2, "c2", is_complete=False, entries=frozenset(entries))
    before = config_maps_of(old, agent_id="a", namespace="brokkr", generation=1)
    after = config_maps_of(new, agent_id="a", namespace="brokkr", generation=2)[:written]
    read, _ = inventories_of([*before, *after])
    assert read["s"].entries >= old.entries
    assert (read["s"].sequence_id, read["s"].is_complete) == (2, False)


def test_an_inventory_without_one_of_its_parts_is_unreadable():
    entries = frozenset(Entry(Identity("", "ConfigMap", "shop", f"c{n}"), "v1") for n in range(1500))
    inventory = Inventory("s", "shop", "v1", 1, "c1", is_complete=True, entries=entries)
    _, second = config_maps_of(inventory, agent_id="a", namespace="brokkr")
    assert inventories_of([second]) == ({}, {"s"})


@pytest.mark.parametrize("data", [{}, {"inventory": "{"}, {"inventory": "{}"}, {"inventory": "[]"}])
def test_a_damaged_inventory_is_unreadable(data):
    inventory = Inventory("s", "shop", "v", 7, "c", is_complete=True, entries=frozenset())
    (config_map,) = config_maps_of(inventory, agent_id="a", namespace="brokkr")
    assert inventories_of([config_map | {"data": data}]) == ({}, {"s"})
