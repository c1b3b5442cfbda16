"""One round of the agent: what the broker says, applying, pruning, health, and what to say about it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from brokkr_agent import VERSION, moments
from brokkr_agent.appliance import Appliance, Result
from brokkr_agent.broker import Broker, BrokerAway
from brokkr_agent.cluster import Cluster, ClusterAway, ClusterError
from brokkr_agent.decisions import (
    Decision,
    Removal,
    State,
    Version,
    claimed_elsewhere,
    decide,
    inventory_before,
    is_applied,
    state_of,
    to_prune,
)
from brokkr_agent.errands import Errands
from brokkr_agent.inventory import Entry, Inventory
from brokkr_agent.manifests import Identity, ManifestError, Object, objects_of
from brokkr_agent.observation import Observer
from brokkr_agent.outbox import Outbox
from brokkr_agent.retries import Retries
from brokkr_agent.shelf import Shelf

logger = logging.getLogger(__name__)

SUCCESS, FAILURE = "SUCCESS", "FAILURE"
_MAX_MESSAGE = 4000
# When there is something to say at once.
_SOON = 1.0
# As the broker allows.
_LONGEST_WAIT = 30


@dataclass(slots=True)
class _Text:
    """A version that is being applied."""

    version: Version
    objects: list[Object]
    entries: list[Entry]
    results: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Rounds:
    """The agent's memory between rounds. Everything in it can be lost: the broker and the cluster have it too."""

    broker: Broker
    cluster: Cluster
    agent_id: str
    appliance: Appliance
    shelf: Shelf
    outbox: Outbox
    observer: Observer
    errands: Errands
    read_only: bool = False
    interval: float = 30.0
    clock: Callable[[], float] = time.monotonic
    tag: str | None = None
    seen: int = 0
    state: State | None = None
    confirmed: set[str] = field(default_factory=set)
    held_back: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    retries: Retries = field(default_factory=Retries)
    # Whether the broker has answered the latest call, and how often in a row it did not let the agent wait for news.
    _is_heard: bool = False
    _early_answers: int = 0

    def run(self, *, wait: bool = False) -> float:
        """One round. Returns the seconds until the next one. Raises BrokerRefusal.

        With `wait`, the round begins when the broker has news, or after the interval.
        The return value is 0.0 if the next round may wait in this way.
        """
        latency = self.cluster.latency_ms()
        knows_inventories = latency is not None and self._read_inventories()
        pause = self._sync(latency, wait_seconds=min(int(self.interval), _LONGEST_WAIT) if wait else 0)
        if not knows_inventories:
            return pause
        try:
            self._act()
            self._look()
        except ClusterError as error:
            # The failure of an object becomes its result. Only an API server that is away, and inventories that
            # cannot be written, end a round.
            logger.warning(
                "the round ends early", extra={"problem": type(error).__name__, "status": error.status}
            )
            self.shelf.forget()
            return pause
        if not self._is_heard:
            return pause
        if not self.outbox.is_empty and not self.appliance.dry_run:
            return min(pause, _SOON)
        until_retry = self.retries.seconds_until_next(self.clock())
        if until_retry < pause or self.errands.renewals():
            return max(_SOON, min(pause, until_retry))
        return min(pause, _SOON * 2.0**self._early_answers) if self._early_answers else 0.0

    @property
    def is_settled(self) -> bool:
        """Whether everything of the last state was applied, and nothing waits."""
        versions = self.state.versions if self.state else ()
        inventories = self.shelf.inventories
        return not self.held_back and all(
            version.stack_id in inventories and is_applied(version, inventories[version.stack_id])
            for version in versions
        )

    def _read_inventories(self) -> bool:
        try:
            self.shelf.read()
        except ClusterError as error:
            logger.warning(
                "the inventories cannot be read: nothing is applied or removed",
                extra={"status": error.status},
            )
            return False
        return True

    def _sync(self, latency: int | None, *, wait_seconds: int) -> float:
        sent = self.outbox.to_send() if not self.appliance.dry_run else {"reports": [], "health": []}
        body = {
            "tag": self.tag,
            "held": self._held(),
            "agent_version": VERSION,
            "k8s_reachable": latency is not None,
            "k8s_api_latency_ms": latency,
            "renewals": self.errands.renewals(),
            "waiting_removals": self.held_back,
            **sent,
        }
        started = self.clock()
        self._is_heard = False
        try:
            answer = self.broker.sync(self.agent_id, body, wait_seconds=wait_seconds, seen=self.seen)
            state = state_of(answer)
            pause = float(answer["next_sync_seconds"])
            # The texts are kept before the tag: an answer that cannot be read is asked for again.
            if state is not None:
                self._take_over(state)
            self.tag, self.seen = answer["tag"], int(answer["seen"])
            self.confirmed = set(answer["confirmed_removals"])
        except BrokerAway as error:
            logger.warning("the broker is away", extra={"problem": str(error)})
            return error.retry_after or self.interval
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("the broker's answer is malformed", extra={"problem": type(error).__name__})
            return self.interval
        self.outbox.confirm(sent)
        if answer["agent_status"] != "ACTIVE":
            self.state = None
        self.errands.hear(answer, may_work=not self.read_only and not self.appliance.dry_run)
        self.interval, self._is_heard = pause, True
        # A broker that does not let anybody wait would be asked again and again. One early answer is no reason to miss
        # what comes next: a change may have been about others.
        has_news = state is not None or bool(answer["work_orders"] or answer["diagnostics"])
        is_early = not has_news and wait_seconds > 0 and self.clock() - started < wait_seconds / 2
        self._early_answers = min(self._early_answers + 1, 10) if is_early else 0
        return pause

    def _held(self) -> list[str]:
        complete = {each.checksum for each in self.shelf.inventories.values() if each.is_complete}
        waiting = {
            version.checksum
            for version in (self.state.versions if self.state else ())
            if version.id in self.texts
        }
        return sorted(complete | waiting)[:5000]

    def _take_over(self, state: State) -> None:
        by_checksum = {
            version.checksum: self.texts[version.id]
            for version in (self.state.versions if self.state else ())
            if version.id in self.texts
        }
        texts = {}
        for version in state.versions:
            text = by_checksum.get(version.checksum) if version.text is None else version.text
            if text is not None:
                texts[version.id] = text
        self.texts, self.state = texts, state
        known = {version.id for version in state.versions} | {removal.id for removal in state.removals}
        self.outbox.forget_said(known)
        self.retries.forget_others(known)

    def _act(self) -> None:
        if self.state is None:
            return
        decision = decide(
            self.state,
            self.shelf.inventories,
            unreadable=self.shelf.unreadable,
            confirmed=self.confirmed,
        )
        self.held_back = [removal.id for removal in decision.held_back]
        removals = {removal.id for removal in self.state.removals}
        for object_id, sentence in decision.refused.items():
            event_type = "DELETE" if object_id in removals else "DEPLOY"
            self.outbox.report(object_id, FAILURE, sentence, event_type=event_type)
        if self.read_only:
            return
        self._apply_all(decision)
        for removal in decision.remove:
            self._remove(removal)
        for removal in decision.done:
            self.outbox.report(removal.id, SUCCESS, None, event_type="DELETE")
        for removal in decision.held_back:
            self.outbox.report(
                removal.id,
                FAILURE,
                "The removal waits for a confirmation: it is one of many at once, or older than what was applied.",
                event_type="DELETE",
            )
        for version in self.state.versions:
            present = self.shelf.inventories.get(version.stack_id)
            if present is not None and is_applied(version, present):
                # Also after a restart, if the report was lost with the process.
                self.outbox.report(version.id, SUCCESS, None, if_silent=True)
                self.texts.pop(version.id, None)

    def _apply_all(self, decision: Decision) -> None:
        due = [version for version in decision.apply if self.retries.is_due(version.id, self.clock())]
        prepared = [text for version in due if (text := self._prepare(version)) is not None]
        given_up = {
            text.version.stack_id: _given_up(text, self.shelf.inventories.get(text.version.stack_id))
            for text in prepared
        }
        for text in prepared:
            self._apply(text, given_up)
        # After all were applied: an object that moves from one stack to another is taken over before it is pruned.
        for text in prepared:
            self._prune(text)

    def _prepare(self, version: Version) -> _Text | None:
        present = self.shelf.inventories.get(version.stack_id)
        text = self.texts.get(version.id)
        if text is None:
            if present is not None and present.is_complete and present.checksum == version.checksum:
                if not self.appliance.dry_run:
                    sequence_id = max(present.sequence_id, version.sequence_id)
                    self.shelf.write(replace(present, version_id=version.id, sequence_id=sequence_id))
            else:
                # It was thought to be held; without a tag the next answer has everything that is not.
                self.tag = None
            return None
        try:
            objects = objects_of(text)
            return _Text(version, objects, self.appliance.entries_of(objects))
        except ManifestError as error:
            self._fail(version, str(error))
        except ClusterAway:
            raise
        except ClusterError as error:
            self._fail(version, str(error))
        return None

    def _apply(self, text: _Text, given_up: dict[str, set[Identity]]) -> None:
        version = text.version
        present = self.shelf.inventories.get(version.stack_id)
        taken = claimed_elsewhere(text.entries, version.stack_id, self.shelf.inventories, given_up)
        own = [
            (obj, entry)
            for obj, entry in zip(text.objects, text.entries, strict=True)
            if entry.identity not in taken
        ]
        text.results = [
            Result(identity, f"Stack {name} has it already.") for identity, name in sorted(taken.items())
        ]
        objects, entries = [obj for obj, _ in own], [entry for _, entry in own]
        if not self.appliance.dry_run:
            self.shelf.write(inventory_before(version, entries, present))
        text.results += self.appliance.apply(objects, entries, stack_id=version.stack_id)
        problems = [result for result in text.results if result.problem is not None]
        logger.info(
            "applied",
            extra={
                "stack": version.stack_name,
                "version": version.id,
                "objects": len(text.results),
                "problems": len(problems),
            },
        )
        if problems:
            self._fail(version, _sentence(problems, len(text.results)))

    def _prune(self, text: _Text) -> None:
        version = text.version
        if self.appliance.dry_run or any(result.problem for result in text.results):
            return
        present = self.shelf.inventories[version.stack_id]
        surplus = to_prune(version, text.entries, present)
        gone, problems = self.appliance.prune(surplus, stack_id=version.stack_id)
        left = present.without(gone)
        self.shelf.write(replace(left, is_complete=not problems))
        if problems:
            self._fail(version, "Pruning: " + _sentence(problems, len(surplus)))
            return
        self.retries.succeeded(version.id)
        kept = len(left.entries) - len(text.entries)
        note = f"It is older than what was applied before: {kept} objects were left." if kept else None
        self.outbox.report(version.id, SUCCESS, note)

    def _remove(self, removal: Removal) -> None:
        if not self.retries.is_due(removal.id, self.clock()):
            return
        present = self.shelf.inventories[removal.stack_id]
        gone, problems = self.appliance.prune(present.entries, stack_id=removal.stack_id)
        logger.info(
            "removed", extra={"stack": present.stack_name, "objects": len(gone), "reason": removal.reason}
        )
        if self.appliance.dry_run:
            return
        if problems:
            self.shelf.write(replace(present.without(gone), is_complete=False))
            sentence = _sentence(problems, len(present.entries))
            self.outbox.report(removal.id, FAILURE, sentence, event_type="DELETE")
            self.retries.failed(removal.id, self.clock())
            return
        self.shelf.remove(removal.stack_id)
        self.retries.succeeded(removal.id)
        self.outbox.report(removal.id, SUCCESS, None, event_type="DELETE")

    def _fail(self, version: Version, message: str) -> None:
        self.outbox.report(version.id, FAILURE, message[:_MAX_MESSAGE])
        self.retries.failed(version.id, self.clock())

    def _look(self) -> None:
        now = moments.now()
        for object_id, status, summary in self.observer.look(self.shelf.inventories.values(), self.clock()):
            self.outbox.report_health(object_id, status, summary, now)


def _given_up(text: _Text, present: Inventory | None) -> set[Identity]:
    if present is None:
        return set()
    return {entry.identity for entry in to_prune(text.version, text.entries, present)}


def _sentence(problems: list[Result], total: int) -> str:
    listed = "; ".join(f"{result.identity}: {result.problem}" for result in problems)
    return f"{len(problems)} of {total} objects failed. {listed}"
