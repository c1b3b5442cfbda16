"""Applies and deletes one object, and says what became of it."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from brokkr_agent.cluster import Cluster, ClusterAway, ClusterError, Resource, UnknownKind
from brokkr_agent.health import has_condition
from brokkr_agent.inventory import NAME_PREFIX, STACK_LABEL, Entry
from brokkr_agent.manifests import Identity, Object, group_and_version, identity_of

STACK_ANNOTATION = "brokkr.io/stack"
AGENT_LABEL = "brokkr.io/agent"
# On an object of a stack: take over the fields that another manager has set.
FORCE_ANNOTATION = "brokkr.io/force-conflicts"
# On a namespace or a definition in the cluster: it may be deleted with what others have put into it.
CONTENTS_ANNOTATION = "brokkr.io/delete-with-contents"
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
CRD, _ESTABLISHED = "CustomResourceDefinition", "Established"
_NOT_FOUND = 404
# Whatever an inventory says, these are not removed with a stack.
_NEVER_REMOVED = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one object. `problem` is None if it is as it should be; `may_pass` if nobody need do anything."""

    identity: Identity
    problem: str | None = None
    may_pass: bool = False


@dataclass(slots=True)
class Patience:
    """How long a definition is waited for until it is established."""

    seconds: float = 10.0
    pause: float = 0.2
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def rank(kind: str) -> int:
    """The place of a kind in the order of applying."""
    if kind in _FIRST:
        return _FIRST.index(kind)
    middle = len(_FIRST)
    if kind in _LAST:
        return middle + 1
    return middle + (2 if kind in _VERY_LAST else 0)


def defined_kinds(objects: Iterable[Object]) -> dict[tuple[str, str], bool]:
    """By apiVersion and kind, whether the kinds that the objects define are namespaced."""
    kinds = {}
    for obj in objects:
        spec = obj.get("spec")
        if obj["kind"] != CRD or not isinstance(spec, dict):
            continue
        for version in spec.get("versions") or []:
            names = spec.get("names") or {}
            api_version = f"{spec.get('group')}/{version.get('name')}"
            kinds[api_version, str(names.get("kind"))] = spec.get("scope") == "Namespaced"
    return kinds


@dataclass(slots=True)
class Appliance:
    """Applies and deletes single objects for one agent. With `dry_run` the API server checks what would be applied.

    `replaces` is the id of an agent whose objects this one may take over.
    """

    cluster: Cluster
    agent_id: str
    patience: Patience
    dry_run: bool = False
    replaces: str = ""

    def entry_of(self, obj: Object, defined: Mapping[tuple[str, str], bool]) -> Entry:
        """The inventory's entry. A kind in `defined` is as its definition says. Raises UnknownKind, ClusterAway."""
        namespaced = defined.get((obj["apiVersion"], obj["kind"]))
        if namespaced is None:
            namespaced = self.cluster.resource(obj["apiVersion"], obj["kind"]).namespaced
        return Entry(identity_of(obj, namespaced=namespaced), group_and_version(obj["apiVersion"])[1])

    def apply(self, obj: Object, identity: Identity, *, stack_id: str | None, is_new: bool = False) -> Result:
        """Apply one object. Raises ClusterAway.

        `stack_id` is None for an object that no stack has: it is not marked. `is_new` says that no inventory of this
        agent had it before, so it may be another agent's.
        """
        if self._is_inventory(obj, identity):
            return Result(identity, "Agents keep their inventories there, so no stack may have it.")
        try:
            if is_new and (other := self._other_agent(obj, identity)) is not None:
                return Result(identity, f"The agent {other} has it already.")
            self._apply(obj, identity, stack_id)
        except ClusterAway:
            raise
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                # A definition may have come, gone or changed.
                self.cluster.forget_kinds()
            return Result(identity, str(error), error.may_pass and not _is_conflict(error))
        return Result(identity)

    def _is_inventory(self, obj: Object, identity: Identity) -> bool:
        if (identity.group, identity.kind) != ("", "ConfigMap"):
            return False
        is_named_so = identity.namespace == self.cluster.namespace and identity.name.startswith(NAME_PREFIX)
        labels = obj["metadata"].get("labels") or {}
        return is_named_so or STACK_LABEL in labels

    def _other_agent(self, obj: Object, identity: Identity) -> str | None:
        if _is_forced(obj):
            return None
        resource = self.cluster.resource(obj["apiVersion"], obj["kind"])
        found = self.cluster.get(resource, identity.namespace, identity.name)
        label = (found["metadata"].get("labels") or {}).get(AGENT_LABEL) if found is not None else None
        return None if label in {None, self.agent_id, self.replaces} else str(label)

    def _apply(self, obj: Object, identity: Identity, stack_id: str | None) -> None:
        resource = self.cluster.resource(obj["apiVersion"], obj["kind"])
        applied = self.cluster.apply(
            resource,
            _marked(obj, identity, stack_id, self.agent_id),
            force=_is_forced(obj),
            dry_run=self.dry_run,
        )
        if obj["kind"] == CRD and not self.dry_run:
            # What comes after it may be an instance.
            self.cluster.forget_kinds()
            if not has_condition(applied, _ESTABLISHED):
                self._wait_until_established(resource, identity)

    def _wait_until_established(self, resource: Resource, identity: Identity) -> None:
        until = self.patience.clock() + self.patience.seconds
        while self.patience.clock() < until:
            found = self.cluster.get(resource, "", identity.name)
            if found is not None and has_condition(found, _ESTABLISHED):
                return
            self.patience.sleep(self.patience.pause)
        raise ClusterError("The definition is not established yet.", may_pass=True)

    def delete(self, entry: Entry, *, stack_id: str, occupied: Mapping[str, str]) -> Result:
        """Delete an object, if it is still this stack's. Without a problem, it is gone or not the stack's any more.

        `occupied` has the namespaces in which other stacks have objects, with the name of one. Raises ClusterAway.
        """
        identity = entry.identity
        if identity.kind == "Namespace" and identity.name in _NEVER_REMOVED | {self.cluster.namespace}:
            return Result(identity)
        try:
            resource = self.cluster.resource_in_any_version(entry.api_version, identity.kind)
            found = self.cluster.get(resource, identity.namespace, identity.name)
            if found is None or not is_owned(found, stack_id=stack_id, agent_id=self.agent_id):
                return Result(identity)
            if not _goes_with_contents(found):
                self._check_contents(found, identity, stack_id, occupied)
            self.cluster.delete(
                resource, identity.namespace, identity.name, uid=str(found["metadata"]["uid"])
            )
        except ClusterAway:
            raise
        except UnknownKind:
            # Its definition is gone, and with it all of its objects.
            return Result(identity)
        except ClusterError as error:
            return Result(identity, str(error), error.may_pass)
        return Result(identity)

    def _check_contents(
        self, found: Object, identity: Identity, stack_id: str, occupied: Mapping[str, str]
    ) -> None:
        """Raise ClusterError if objects of others would go with this one."""
        if identity.kind == "Namespace" and identity.name in occupied:
            raise ClusterError(f"Stack {occupied[identity.name]} has objects in it.", may_pass=True)
        if identity.kind != CRD:
            return
        spec = found["spec"]
        versions = [version["name"] for version in spec["versions"] if version.get("served")]
        if not versions:
            said = "No version of it is served, so nobody can tell whose objects of this kind there are."
            raise ClusterError(said, may_pass=True)
        for instance in self.cluster.list(
            Resource(spec["group"], versions[0], spec["names"]["plural"], spec["scope"] == "Namespaced")
        ):
            if not is_owned(instance, stack_id=stack_id, agent_id=self.agent_id):
                metadata = instance["metadata"]
                name = f"{metadata.get('namespace', '')}/{metadata['name']}".lstrip("/")
                raise ClusterError(
                    f"There are objects of this kind that the stack does not have, for instance {name}.",
                    may_pass=True,
                )


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


def _goes_with_contents(found: Object) -> bool:
    return str((found["metadata"].get("annotations") or {}).get(CONTENTS_ANNOTATION)).lower() == "true"
