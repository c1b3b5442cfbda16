"""Applies objects in their order, waits for what they need, and prunes. Each object has a result of its own."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from brokkr_agent.cluster import Cluster, ClusterAway, ClusterError, UnknownKind
from brokkr_agent.health import has_condition
from brokkr_agent.inventory import Entry
from brokkr_agent.manifests import Identity, Object, group_and_version, identity_of

STACK_ANNOTATION = "brokkr.io/stack"
AGENT_LABEL = "brokkr.io/agent"
# On an object of a stack: take over the fields that another manager has set.
FORCE_ANNOTATION = "brokkr.io/force-conflicts"
# What others need comes first, what looks at others last.
_FIRST = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
)
_LAST = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress", "APIService")
_VERY_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_CRD, _ESTABLISHED = "CustomResourceDefinition", "Established"
# Whatever an inventory says, these are not removed with a stack.
_NEVER_REMOVED = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one object; `problem` is None if it is as it should be."""

    identity: Identity
    problem: str | None = None


@dataclass(slots=True)
class Patience:
    """How long objects are tried again that wait for others, with longer and longer pauses."""

    seconds: float = 10.0
    first_pause: float = 0.2
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def in_order(objects: Iterable[Object]) -> list[Object]:
    """The objects in the order of applying; those of one kind stay in the order of the text."""
    return sorted(objects, key=lambda obj: _rank(obj["kind"]))


def _rank(kind: str) -> int:
    if kind in _FIRST:
        return _FIRST.index(kind)
    middle = len(_FIRST)
    if kind in _LAST:
        return middle + 1
    return middle + (2 if kind in _VERY_LAST else 0)


@dataclass(slots=True)
class Appliance:
    """Applies and prunes for one agent. With `dry_run` the API server checks everything and changes nothing."""

    cluster: Cluster
    agent_id: str
    patience: Patience
    dry_run: bool = False

    def entries_of(self, objects: Sequence[Object]) -> list[Entry]:
        """The inventory's entries. Kinds that only the objects themselves define are taken as their definitions say.

        Raises UnknownKind, ClusterAway.
        """
        defined = _defined_kinds(objects)
        entries = []
        for obj in objects:
            namespaced = defined.get((obj["apiVersion"], obj["kind"]))
            if namespaced is None:
                namespaced = self.cluster.resource(obj["apiVersion"], obj["kind"]).namespaced
            entries.append(
                Entry(identity_of(obj, namespaced=namespaced), group_and_version(obj["apiVersion"])[1])
            )
        return entries

    def apply(
        self, objects: Sequence[Object], entries: Sequence[Entry], *, stack_id: str | None
    ) -> list[Result]:
        """Apply all objects, each by itself, and try again those that wait for others. Raises ClusterAway.

        `stack_id` is None for objects that no stack has: they are not marked.
        """
        identities = {id(obj): entry.identity for obj, entry in zip(objects, entries, strict=True)}
        waiting = in_order(objects)
        problems: dict[int, str | None] = {}
        until = self.patience.clock() + self.patience.seconds
        pause = self.patience.first_pause
        while waiting:
            again = []
            for obj in waiting:
                problems[id(obj)] = None
                try:
                    self._apply_one(obj, identities[id(obj)], stack_id)
                except ClusterAway:
                    raise
                except ClusterError as error:
                    problems[id(obj)] = str(error)
                    if error.may_pass and not _is_conflict(error):
                        again.append(obj)
            if not again or self.patience.clock() + pause > until:
                break
            waiting = again
            self.patience.sleep(pause)
            pause *= 2
            self.cluster.forget_kinds()
        return [Result(identities[id(obj)], problems[id(obj)]) for obj in objects]

    def _apply_one(self, obj: Object, identity: Identity, stack_id: str | None) -> None:
        resource = self.cluster.resource(obj["apiVersion"], obj["kind"])
        applied = self.cluster.apply(
            resource,
            _marked(obj, identity, stack_id, self.agent_id),
            force=_is_forced(obj),
            dry_run=self.dry_run,
        )
        if obj["kind"] == _CRD and not self.dry_run:
            # What comes after it may be an instance.
            self.cluster.forget_kinds()
            if not has_condition(applied, _ESTABLISHED):
                self._wait_until_established(resource, identity)

    def _wait_until_established(self, resource: Any, identity: Identity) -> None:
        until = self.patience.clock() + self.patience.seconds
        while self.patience.clock() < until:
            found = self.cluster.get(resource, "", identity.name)
            if found is not None and has_condition(found, _ESTABLISHED):
                return
            self.patience.sleep(self.patience.first_pause)
        raise ClusterError("The definition is not established yet.", may_pass=True)

    def prune(self, entries: Collection[Entry], *, stack_id: str) -> tuple[list[Identity], list[Result]]:
        """Delete objects that are still this stack's, in the reverse order of applying. Raises ClusterAway.

        Returns those that are gone or are not the stack's any more, and the others with their problems.
        """
        gone, problems = [], []
        for entry in sorted(entries, key=lambda each: -_rank(each.identity.kind)):
            try:
                self._delete_one(entry, stack_id)
            except ClusterAway:
                raise
            except UnknownKind:
                # Its definition is gone, and with it all of its objects.
                gone.append(entry.identity)
            except ClusterError as error:
                problems.append(Result(entry.identity, str(error)))
            else:
                gone.append(entry.identity)
        return gone, problems

    def _delete_one(self, entry: Entry, stack_id: str) -> None:
        identity = entry.identity
        if identity.kind == "Namespace" and identity.name in _NEVER_REMOVED | {self.cluster.namespace}:
            return
        resource = self.cluster.resource(entry.api_version, identity.kind)
        found = self.cluster.get(resource, identity.namespace, identity.name)
        if found is None or not is_owned(found, stack_id=stack_id, agent_id=self.agent_id) or self.dry_run:
            return
        self.cluster.delete(resource, identity.namespace, identity.name, uid=str(found["metadata"]["uid"]))


def is_owned(found: Object, *, stack_id: str, agent_id: str) -> bool:
    """Whether the object in the cluster is marked as this stack's, by this agent, and nobody controls it."""
    metadata = found["metadata"]
    return (
        (metadata.get("annotations") or {}).get(STACK_ANNOTATION) == stack_id
        and (metadata.get("labels") or {}).get(AGENT_LABEL) == agent_id
        and not any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
    )


def _marked(obj: Object, identity: Identity, stack_id: str | None, agent_id: str) -> Object:
    metadata = dict(obj["metadata"])
    if identity.namespace:
        metadata["namespace"] = identity.namespace
    else:
        # Agents of other makers take it for a cluster's object too.
        metadata.pop("namespace", None)
    if stack_id is not None:
        metadata["labels"] = {**(metadata.get("labels") or {}), AGENT_LABEL: agent_id}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), STACK_ANNOTATION: stack_id}
    # These are the API server's to say, and it refuses texts that say them.
    for name in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"):
        metadata.pop(name, None)
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


def _is_forced(obj: Object) -> bool:
    return str((obj["metadata"].get("annotations") or {}).get(FORCE_ANNOTATION)).lower() == "true"


def _is_conflict(error: ClusterError) -> bool:
    return error.status == 409 and "conflict" in str(error)


def _defined_kinds(objects: Iterable[Object]) -> dict[tuple[str, str], bool]:
    """By apiVersion and kind, whether the kinds that the objects define are namespaced."""
    kinds = {}
    for obj in objects:
        spec = obj.get("spec")
        if obj["kind"] != _CRD or not isinstance(spec, dict):
            continue
        for version in spec.get("versions") or []:
            names = spec.get("names") or {}
            api_version = f"{spec.get('group')}/{version.get('name')}"
            kinds[api_version, str(names.get("kind"))] = spec.get("scope") == "Namespaced"
    return kinds
