"""Whatever fails, moves, stops or comes again, nothing is deleted that a stack shall have or somebody else made."""

from itertools import count
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from brokkr_agent.appliance import Appliance, Patience
from brokkr_agent.cluster import ClusterError
from brokkr_agent.decisions import Removal, State, Version, decide
from brokkr_agent.execution import Execution
from brokkr_agent.outbox import Outbox
from brokkr_agent.shelf import Shelf
from tests.brokkr_agent.conftest import config_map, place
from tests.brokkr_agent.fake_cluster import FakeCluster, Stopped

STACKS, NAMES = ("one", "two", "three"), tuple("abcd")


class Site:
    """A cluster, what its agent shall have there, and the agent's process."""

    def __init__(self, agent_id: str = "agent", cluster: FakeCluster | None = None) -> None:
        self.cluster, self.agent_id = cluster or FakeCluster(), agent_id
        self.versions: dict[str, tuple[Version, tuple[str, ...]]] = {}
        self.removals: dict[str, Removal] = {}
        self.numbers, self.time = count(1), 0.0
        self.failing: set[str] = set()
        self.killed_at = -1
        self.cluster.refuse = self._refuse
        self.restart()

    def restart(self, *, replaces: str = "") -> None:
        connection = self.cluster.connect()
        shelf, outbox = Shelf(connection, self.agent_id), Outbox()
        appliance = Appliance(connection, self.agent_id, Patience(seconds=0), replaces=replaces)
        self.outbox = outbox
        self.execution = Execution(appliance, shelf, outbox, clock=lambda: self.time)

    def publish(self, stack: str, *names: str, text: str = "") -> None:
        number = next(self.numbers)
        text = text or "---\n".join(config_map(name, f"{number}") for name in names)
        self.versions[stack] = Version(f"v{number}", stack, stack, number, f"{number}", text), names
        self.removals.pop(stack, None)

    def remove(self, stack: str) -> None:
        if stack in self.versions:
            del self.versions[stack]
            number = next(self.numbers)
            self.removals[stack] = Removal(f"r{number}", stack, number, "stack_deleted")

    @property
    def wanted(self) -> set[str]:
        return {place(name) for _, names in self.versions.values() for name in names}

    def run(self) -> None:
        """One round, in which the process may be killed."""
        self.time += 1000
        versions = [version for version, _ in self.versions.values()]
        state = State(tuple(versions), tuple(self.removals.values()))
        known = {version.id for version in versions} | {removal.id for removal in state.removals}
        self.execution.forget_others(known)
        shelf = self.execution.shelf
        try:
            shelf.read()
            confirmed = {removal.id for removal in state.removals}
            decision = decide(state, shelf.inventories, unreadable=shelf.unreadable, confirmed=confirmed)
            self.execution.carry_out(decision, {each.id: each.text or "" for each in versions})
        except ClusterError:
            shelf.forget()
        except Stopped:
            self.killed_at = -1
            self.restart()

    def said(self) -> str:
        return str(self.outbox.to_send()["reports"])

    def _refuse(self, method: str, path: str) -> httpx2.Response | None:
        if method == "GET":
            return None
        self.killed_at -= 1
        if self.killed_at == 0:
            raise Stopped
        if path in self.failing:
            return httpx2.Response(422, json={"message": "no"})
        if method == "DELETE" and "brokkr-inventory" not in path:
            owner = (self.cluster.objects[path]["metadata"].get("annotations") or {}).get("brokkr.io/stack")
            assert path not in self.wanted, f"{path} of {owner} is wanted"
            assert path != place("foreign")
        return None


NAMES_OF_A_VERSION = st.sets(st.sampled_from(NAMES), min_size=1).map(lambda names: tuple(sorted(names)))
STEPS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(STACKS), NAMES_OF_A_VERSION),
    st.tuples(st.just("publish"), st.sampled_from(STACKS), NAMES_OF_A_VERSION),
    st.tuples(st.just("remove"), st.sampled_from(STACKS)),
    st.tuples(st.just("fail"), st.sets(st.sampled_from(NAMES))),
    st.tuples(st.just("kill"), st.integers(1, 8)),
    st.tuples(st.just("run")),
    st.tuples(st.just("run")),
)


@given(st.lists(STEPS, max_size=25))
@examples(max_examples=60)
def test_whatever_moves_fails_and_stops_nothing_that_is_wanted_is_deleted(steps):
    site = Site()
    site.cluster.add_foreign(place("foreign"), {"metadata": {"name": "foreign"}})
    for step in steps:
        match step:
            case ("publish", stack, names):
                site.publish(stack, *names)
            case ("remove", stack):
                site.remove(stack)
            case ("fail", names):
                site.failing = {place(name) for name in names}
            case ("kill", number):
                site.killed_at = number
            case _:
                site.run()
    site.failing, site.killed_at = set(), -1
    for _ in range(8):
        site.run()
    assert site.cluster.texts().keys() == site.wanted | {place("foreign")}
    recorded = set().union(*(each.identities for each in site.execution.shelf.inventories.values()))
    assert {place(identity.name) for identity in recorded} == site.wanted


def test_an_object_stays_until_the_stack_that_shall_have_it_has_taken_it_over():
    site = Site()
    site.publish("one", "a", "b")
    site.publish("two", "c")
    site.run()
    uid = site.cluster.objects[place("a")]["metadata"]["uid"]
    site.remove("one")
    site.publish("two", "a", "c")
    site.failing = {place("a")}
    for _ in range(2):
        site.run()
    assert site.cluster.texts().keys() == {place("a"), place("c")}
    assert "Stack two shall have it, and has not taken it over yet." in site.said()
    site.failing = set()
    site.run()
    taken = site.cluster.objects[place("a")]["metadata"]
    assert (taken["uid"], taken["annotations"]["brokkr.io/stack"]) == (uid, "two")


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, annotations: {{{0}}}}}\n"


def test_a_namespace_stays_while_another_stack_has_objects_in_it():
    site = Site()
    site.publish("one", text=NAMESPACE.format(""))
    site.publish("two", text=config_map("a", namespace="shop"))
    site.run()
    site.remove("one")
    for _ in range(3):
        site.run()
    assert site.cluster.texts().keys() == {"/api/v1/namespaces/shop", place("a", "shop")}
    assert "Stack two has objects in it." in site.said()
    site.remove("two")
    for _ in range(3):
        site.run()
    assert site.cluster.texts().keys() == set()


def test_a_namespace_goes_with_its_contents_where_it_says_so():
    site = Site()
    site.publish("one", text=NAMESPACE.format('brokkr.io/delete-with-contents: "true"'))
    site.publish("two", text=config_map("a", namespace="shop"))
    site.run()
    site.remove("one")
    site.run()
    assert site.cluster.texts().keys() == set()


DEFINITION = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: trees.example.com}\n"
    "spec: {group: example.com, scope: Namespaced, names: {kind: Tree, plural: trees},"
    " versions: [{name: v1, served: true}]}\n"
)
TREE = "apiVersion: example.com/v1\nkind: Tree\nmetadata: {name: oak, namespace: brokkr}\n"
OAK, ELM = (f"/apis/example.com/v1/namespaces/brokkr/trees/{name}" for name in ("oak", "elm"))
TREES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trees.example.com"


def test_a_definition_stays_while_others_have_objects_of_it():
    site = Site()
    site.publish("one", text=f"{DEFINITION}---\n{TREE}")
    site.run()
    site.cluster.add_foreign(ELM, {"metadata": {"name": "elm", "namespace": "brokkr"}})
    site.remove("one")
    for _ in range(3):
        site.run()
    assert site.cluster.texts().keys() == {TREES, ELM}
    assert "the stack does not have, for instance brokkr/elm" in site.said()
    del site.cluster.objects[ELM]
    site.run()
    assert site.cluster.texts().keys() == set()


def test_a_definition_of_which_no_version_is_served_stays():
    site = Site()
    site.publish("one", text=DEFINITION)
    site.run()
    (version,) = site.cluster.objects[TREES]["spec"]["versions"]
    version["served"] = False
    site.remove("one")
    for _ in range(2):
        site.run()
    assert site.cluster.texts().keys() == {TREES}
    assert "No version of it is served" in site.said()
    version["served"] = True
    site.run()
    assert site.cluster.texts().keys() == set()


def test_an_object_whose_version_of_the_api_is_gone_is_deleted_by_another_one():
    site = Site()
    site.cluster.kinds["example.com/v1"] = {"Tree": ("trees", True)}
    site.publish("one", text=TREE)
    site.run()
    site.cluster.kinds["example.com/v2"] = site.cluster.kinds.pop("example.com/v1")
    site.cluster.objects[OAK.replace("v1", "v2")] = site.cluster.objects.pop(OAK)
    site.remove("one")
    site.restart()
    site.run()
    assert site.cluster.texts().keys() == set()


def test_what_another_agent_has_is_neither_taken_over_nor_deleted():
    first = Site()
    first.publish("one", "a", "b")
    first.run()
    before = {name: dict(first.cluster.objects[place(name)]["metadata"]) for name in "ab"}
    second = Site("other", first.cluster)
    second.publish("one", "a", "b", "c")
    for _ in range(3):
        second.run()
    assert "The agent agent has it already." in second.said()
    second.remove("one")
    second.run()
    assert {name: first.cluster.objects[place(name)]["metadata"] for name in "ab"} == before
    assert first.cluster.texts().keys() == {place("a"), place("b")}


def test_an_agent_that_replaces_another_takes_over_what_it_shall_have():
    first = Site()
    first.publish("one", "a", "b")
    first.run()
    second = Site("other", first.cluster)
    second.restart(replaces="agent")
    second.publish("one", "a")
    second.run()
    labels = {name: first.cluster.objects[place(name)]["metadata"]["labels"] for name in "ab"}
    assert {name: each["brokkr.io/agent"] for name, each in labels.items()} == {"a": "other", "b": "agent"}


@pytest.mark.parametrize("number", range(1, 6))
def test_a_kill_while_a_large_inventory_is_removed_does_not_make_it_unreadable(number):
    site = Site()
    names = [f"c{each}" for each in range(1500)]
    site.publish("one", *names)
    site.run()
    # As if all objects had been deleted by hand, so that only the inventory is left to be removed.
    for name in names:
        del site.cluster.objects[place(name)]
    site.remove("one")
    site.killed_at = number
    for _ in range(3):
        site.run()
    assert (site.cluster.objects, site.execution.shelf.unreadable) == ({}, set())


def test_a_config_map_that_only_looks_like_an_inventory_stops_nobody():
    site = Site()
    labels: dict[str, Any] = {"brokkr.io/inventory-of-agent": "agent"}
    site.cluster.add_foreign(place("strange"), {"metadata": {"name": "strange", "labels": labels}})
    site.publish("one", "a")
    site.run()
    assert place("a") in site.cluster.objects


def test_a_text_without_objects_removes_nothing():
    site = Site()
    site.publish("one", "a")
    site.run()
    site.publish("one", text="# nothing\n---\n")
    for _ in range(3):
        site.run()
    assert site.cluster.texts().keys() == {place("a")}
    assert "The text has no objects." in site.said()


@pytest.mark.parametrize(
    "metadata",
    [
        "{name: brokkr-inventory-two-1-0, namespace: brokkr}",
        "{name: strange, labels: {brokkr.io/inventory-of-stack: two, brokkr.io/inventory-of-agent: agent}}",
    ],
)
def test_a_stack_cannot_write_the_inventory_of_another(metadata):
    site = Site()
    site.publish("two", "a")
    site.run()
    before = site.execution.shelf.inventories["two"]
    site.publish(
        "one", text=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\ndata: {{inventory: '{{'}}\n"
    )
    site.run()
    site.restart()
    site.run()
    assert site.execution.shelf.inventories["two"] == before
    assert "so no stack may have it" in site.said()
