"""Carries out what was decided, object by object: applies, prunes, removes, and reports what became of it.

What fails is tried again by itself, after longer and longer pauses; the other objects of its version are not applied
again because of it. A version is reported when all of it was applied and pruned, or when something of it fails that
will not pass by itself.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from brokkr_agent.appliance import Appliance, Result, defined_kinds, rank
from brokkr_agent.cluster import ClusterAway, ClusterError
from brokkr_agent.decisions import (
    Decision,
    Removal,
    Version,
    claimed_elsewhere,
    inventory_before,
    occupied_namespaces,
    to_prune,
)
from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity, ManifestError, Object, identity_of, objects_of
from brokkr_agent.outbox import Outbox
from brokkr_agent.retries import Retries
from brokkr_agent.shelf import Shelf

logger = logging.getLogger(__name__)

SUCCESS, FAILURE = "SUCCESS", "FAILURE"
_MAX_MESSAGE = 4000
# What waits for something else for so long is no failure yet.
_GRACE = 10.0
# So long a round may apply and delete: then the broker hears of the agent first.
_LONGEST = 20.0


@dataclass(slots=True)
class _Item:
    """An object of a version. Its entry is None while the cluster does not know its kind."""

    obj: Object
    name: Identity
    entry: Entry | None = None
    result: Result | None = None

    @property
    def is_applied(self) -> bool:
        return self.result is not None and self.result.problem is None


@dataclass(slots=True)
class _Application:
    """A version that is being applied, since a time of the clock."""

    version: Version
    items: list[_Item]
    since: float

    @property
    def entries(self) -> list[Entry]:
        return [item.entry for item in self.items if item.entry is not None]

    @property
    def is_understood(self) -> bool:
        return all(item.entry is not None for item in self.items)

    @property
    def is_applied(self) -> bool:
        return all(item.is_applied for item in self.items)


@dataclass(slots=True)
class _Deletion:
    """What could not be deleted for a version or a removal, since a time of the clock."""

    since: float
    kept: dict[Identity, Result] = field(default_factory=dict)


@dataclass(slots=True)
class Execution:
    """Remembers, between rounds, what was applied of versions that are not complete. All of it can be lost."""

    appliance: Appliance
    shelf: Shelf
    outbox: Outbox
    clock: Callable[[], float] = time.monotonic
    retries: Retries = field(default_factory=Retries)
    # With `dry_run`, is told of each object what the API server would do.
    say: Callable[[str], None] = lambda _: None
    # Whether something would be refused.
    has_refusals: bool = False
    # Whether the latest round ended before everything that was due was tried.
    is_cut_short: bool = False
    _applications: dict[str, _Application] = field(default_factory=dict)
    _deletions: dict[str, _Deletion] = field(default_factory=dict)
    _until: float = 0.0

    def forget(self) -> None:
        """Begin anew with all that is not complete: another replica may have led, or the cluster been restored."""
        self.shelf.forget()
        self._applications.clear()
        self._deletions.clear()

    def forget_others(self, kept: set[str]) -> None:
        """Forget all versions and removals but these."""
        self.retries.forget_others(kept)
        self._applications = {name: each for name, each in self._applications.items() if name in kept}
        self._deletions = {name: each for name, each in self._deletions.items() if name in kept}

    def adopt(self, version: Version) -> bool:
        """Take over a version whose text was applied as a whole by an earlier one. False if it was not."""
        present = self.shelf.inventories.get(version.stack_id)
        if present is None or not present.is_complete or present.checksum != version.checksum:
            return False
        if self.appliance.dry_run:
            if not self.outbox.has_said(version.id):
                self.say(f"{version.stack_name}: nothing would change")
                self.outbox.report(version.id, SUCCESS, None)
            return True
        sequence_id = max(present.sequence_id, version.sequence_id)
        self.shelf.write(replace(present, version_id=version.id, sequence_id=sequence_id))
        return True

    def carry_out(self, decision: Decision, texts: Mapping[str, str]) -> None:
        """Do all of it that is due. `texts` has those of versions, by id.

        Nothing is deleted while the text of a version is not there: it may have what would be deleted.
        Raises ClusterAway, and ClusterError if an inventory cannot be written.
        """
        self._until = self.clock() + _LONGEST
        self.is_cut_short = False
        for version in decision.apply:
            if version.id in texts and version.id not in self._applications:
                self._begin(version, texts[version.id])
        applications = [
            self._applications[version.id] for version in decision.apply if version.id in self._applications
        ]
        given_up = self._given_up(applications, decision.remove)
        for application in applications:
            self._apply(application, given_up)
        if any(version.id not in texts for version in decision.apply):
            return
        # After all were applied: an object that moves from one stack to another is taken over before it is pruned.
        awaited = {
            item.name: application.version
            for application in applications
            for item in application.items
            if not item.is_applied
        }
        for application in applications:
            self._prune(application, awaited)
        for removal in decision.remove:
            self._remove(removal, awaited)

    def _begin(self, version: Version, text: str) -> None:
        key = (version.id, None)
        if not self.retries.is_due(key, self.clock()):
            return
        try:
            objects = objects_of(text)
        except ManifestError as error:
            self._fail(version.id, str(error))
            self.retries.failed(key, self.clock())
            if self.appliance.dry_run:
                self.has_refusals = True
                self.say(f"{version.stack_name}: {error}")
            return
        self.retries.succeeded(key)
        items = [
            _Item(obj, identity_of(obj, namespaced=bool(obj["metadata"].get("namespace")))) for obj in objects
        ]
        self._applications[version.id] = _Application(version, items, self.clock())

    def _given_up(
        self, applications: Collection[_Application], removals: Iterable[Removal]
    ) -> dict[str, Collection[Identity]]:
        """By stack, what it shall not have any more."""
        inventories = self.shelf.inventories
        given_up: dict[str, Collection[Identity]] = {
            removal.stack_id: inventories[removal.stack_id].identities for removal in removals
        }
        for application in applications:
            self._understand(application)
            present = inventories.get(application.version.stack_id)
            if present is not None and application.is_understood:
                surplus = to_prune(application.version, application.entries, present)
                given_up[application.version.stack_id] = {entry.identity for entry in surplus}
        return given_up

    def _understand(self, application: _Application) -> None:
        """Ask which kinds are namespaced, of the objects of which that is not known yet."""
        defined = defined_kinds(item.obj for item in application.items)
        for item in self._due(application):
            if item.entry is None:
                try:
                    item.entry = self.appliance.entry_of(item.obj, defined)
                except ClusterAway:
                    raise
                except ClusterError as error:
                    self._note(application, item, Result(item.name, str(error), error.may_pass))
                else:
                    self.retries.succeeded((application.version.id, item.name))
                    item.name = item.entry.identity

    def _due(self, application: _Application) -> list[_Item]:
        now = self.clock()
        return [
            item
            for item in sorted(application.items, key=lambda each: rank(each.obj["kind"]))
            if not item.is_applied and self.retries.is_due((application.version.id, item.name), now)
        ]

    def _note(self, application: _Application, item: _Item, result: Result) -> None:
        key = (application.version.id, item.name)
        if self.appliance.dry_run:
            result = self._told(application, item, result)
        item.result = result
        if result.problem is None:
            self.retries.succeeded(key)
        else:
            self.retries.failed(key, self.clock())

    def _told(self, application: _Application, item: _Item, result: Result) -> Result:
        """Say what would become of the object. What cannot be checked yet is not refused."""
        names = {each.name for each in application.items}
        kinds = defined_kinds(each.obj for each in application.items)
        comes_first = Identity("", "Namespace", "", item.name.namespace) in names or (
            (item.obj["apiVersion"], item.obj["kind"]) in kinds
        )
        said = "would be applied"
        if result.problem is not None and result.may_pass and comes_first:
            said = "cannot be checked before its namespace or definition is there"
            result = Result(item.name)
        elif result.problem is not None:
            said = f"would be refused: {result.problem}"
            self.has_refusals = True
        self.say(f"{application.version.stack_name}: {item.name} {said}")
        return result

    def _apply(self, application: _Application, given_up: Mapping[str, Collection[Identity]]) -> None:
        version = application.version
        due = [item for item in self._due(application) if item.entry is not None]
        if due:
            present = self.shelf.inventories.get(version.stack_id)
            taken = claimed_elsewhere(application.entries, version.stack_id, self.shelf.inventories, given_up)
            own = [entry for entry in application.entries if entry.identity not in taken]
            recorded = inventory_before(version, own, present)
            if recorded != present and not self.appliance.dry_run:
                self.shelf.write(recorded)
            # Of an inventory that is not complete it is not known which objects were ever applied.
            before = present.identities if present is not None and present.is_complete else frozenset()
            for item in due:
                if self._is_late():
                    break
                if item.name in taken:
                    result = Result(item.name, f"Stack {taken[item.name]} has it already.")
                else:
                    is_new = item.name not in before
                    result = self.appliance.apply(
                        item.obj, item.name, stack_id=version.stack_id, is_new=is_new
                    )
                self._note(application, item, result)
            logger.info("applied", extra=_counts(application))
        self._report(application)

    def _is_late(self) -> bool:
        self.is_cut_short |= self.clock() > self._until
        return self.is_cut_short

    def _report(self, application: _Application) -> None:
        results = (item.result for item in application.items)
        problems = [result for result in results if result is not None and result.problem is not None]
        if self._are_failures(problems, application.since):
            self._fail(application.version.id, _sentence(problems, len(application.items)))

    def _are_failures(self, problems: Collection[Result], since: float) -> bool:
        waited = self.clock() - since >= _GRACE
        return any(waited or not result.may_pass for result in problems)

    def _prune(self, application: _Application, awaited: Mapping[Identity, Version]) -> None:
        version = application.version
        if not application.is_applied:
            return
        if self.appliance.dry_run:
            present = self.shelf.inventories.get(version.stack_id)
            surplus = to_prune(version, application.entries, present) if present is not None else ()
            self._say_removed(version.id, version.stack_name, surplus)
            return
        present = self.shelf.inventories[version.stack_id]
        surplus = to_prune(version, application.entries, present)
        left = self._delete(version.id, surplus, present, awaited)
        remaining = to_prune(version, application.entries, left)
        left = replace(left, is_complete=not remaining)
        if left != present:
            self.shelf.write(left)
        if remaining:
            self._report_kept(version.id, len(surplus), "DEPLOY")
            return
        self._applications.pop(version.id)
        kept = len(left.entries) - len(application.entries)
        note = f"It is older than what was applied before: {kept} objects were left." if kept else None
        self.outbox.report(version.id, SUCCESS, note)

    def _say_removed(self, because: str, stack_name: str, entries: Iterable[Entry]) -> None:
        """Say once what would be deleted. It is not sent: with `dry_run` nothing is."""
        if self.outbox.has_said(because):
            return
        for entry in sorted(entries):
            self.say(f"{stack_name}: {entry.identity} would be deleted")
        self.outbox.report(because, SUCCESS, None)

    def _delete(
        self,
        because: str,
        entries: Iterable[Entry],
        present: Inventory,
        awaited: Mapping[Identity, Version],
    ) -> Inventory:
        """Delete what is due, in the reverse order of applying. Returns the inventory of what is left."""
        now = self.clock()
        kept = self._deletions.setdefault(because, _Deletion(now)).kept
        occupied = occupied_namespaces(present.stack_id, self.shelf.inventories)
        gone = []
        for entry in sorted(entries, key=lambda each: (-rank(each.identity.kind), each)):
            identity, key = entry.identity, (because, entry.identity)
            if not self.retries.is_due(key, now):
                continue
            # What is not tried is no failure, however long the others took.
            if self._is_late():
                break
            heir = awaited.get(identity)
            if heir is not None and heir.stack_id != present.stack_id:
                said = f"Stack {heir.stack_name} shall have it, and has not taken it over yet."
                result = Result(identity, said, may_pass=True)
            else:
                result = self.appliance.delete(entry, stack_id=present.stack_id, occupied=occupied)
            if result.problem is None:
                gone.append(identity)
                kept.pop(identity, None)
                self.retries.succeeded(key)
            else:
                kept[identity] = result
                self.retries.failed(key, self.clock())
        return present.without(gone)

    def _report_kept(self, because: str, total: int, event_type: str) -> None:
        deletion = self._deletions[because]
        problems = list(deletion.kept.values())
        if self._are_failures(problems, deletion.since):
            self._fail(because, "Removing: " + _sentence(problems, total), event_type=event_type)

    def _remove(self, removal: Removal, awaited: Mapping[Identity, Version]) -> None:
        present = self.shelf.inventories[removal.stack_id]
        if self.appliance.dry_run:
            self._say_removed(removal.id, present.stack_name, present.entries)
            return
        left = self._delete(removal.id, present.entries, present, awaited)
        gone = len(present.entries) - len(left.entries)
        if gone or not left.entries:
            logger.info(
                "removed",
                extra={
                    "stack": present.stack_name,
                    "objects": gone,
                    "left": len(left.entries),
                    "reason": removal.reason,
                },
            )
        if not left.entries:
            self.shelf.remove(removal.stack_id)
            self.outbox.report(removal.id, SUCCESS, None, event_type="DELETE")
            return
        left = replace(left, is_complete=False)
        if left != present:
            self.shelf.write(left)
        self._report_kept(removal.id, len(present.entries), "DELETE")

    def _fail(self, object_id: str, message: str, *, event_type: str = "DEPLOY") -> None:
        self.outbox.report(object_id, FAILURE, message[:_MAX_MESSAGE], event_type=event_type)


def _counts(application: _Application) -> dict[str, object]:
    return {
        "stack": application.version.stack_name,
        "version": application.version.id,
        "objects": len(application.items),
        "problems": sum(not item.is_applied for item in application.items),
    }


def _sentence(problems: Collection[Result], total: int) -> str:
    listed = "; ".join(f"{result.identity}: {result.problem}" for result in problems)
    return f"{len(problems)} of {total} objects failed. {listed}"
