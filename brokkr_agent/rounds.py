"""One round of the agent: what the broker says, applying, pruning, health, and what to say about it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from brokkr_agent import VERSION, moments
from brokkr_agent.appliance import Appliance
from brokkr_agent.broker import Broker, BrokerAway
from brokkr_agent.cluster import Cluster, ClusterError
from brokkr_agent.decisions import State, decide, is_applied, state_of
from brokkr_agent.errands import Errands
from brokkr_agent.execution import FAILURE, SUCCESS, Execution
from brokkr_agent.observation import Observer
from brokkr_agent.outbox import Outbox
from brokkr_agent.shelf import Shelf

logger = logging.getLogger(__name__)

ACTIVE = "ACTIVE"
# When there is something to say at once.
_SOON = 1.0
# As the broker allows.
_LONGEST_WAIT = 30


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
    execution: Execution
    read_only: bool = False
    interval: float = 30.0
    clock: Callable[[], float] = time.monotonic
    tag: str | None = None
    seen: str = ""
    state: State | None = None
    # As the broker says, None before it has said anything.
    status: str | None = None
    confirmed: set[str] = field(default_factory=set)
    held_back: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    # Whether the broker has answered the latest call, and how often in a row it did not let the agent wait for news.
    _is_heard: bool = False
    _early_answers: int = 0

    def run(self, *, wait: bool = False) -> float:
        """One round. Returns the seconds until the next one. Raises BrokerRefusal.

        With `wait`, the round begins when the broker has news, when something is to be tried again, or after the
        interval. The return value is 0.0 if the next round may wait in this way.
        """
        latency = self.cluster.latency_ms()
        knows_inventories = latency is not None and self._read_inventories()
        longest = min(self.interval, _LONGEST_WAIT, self._seconds_until_retry())
        pause = self._sync(latency, wait_seconds=int(longest) if wait else 0)
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
            self.execution.forget()
            return pause
        return self._until_next(pause) if self._is_heard else pause

    def _until_next(self, pause: float) -> float:
        until_retry = self._seconds_until_retry()
        has_more = not self.outbox.is_empty and not self.appliance.dry_run
        if has_more or self.execution.is_cut_short or until_retry <= _SOON:
            return min(pause, _SOON)
        if self.errands.renewals():
            return min(pause, until_retry)
        return min(pause, until_retry, _SOON * 2.0**self._early_answers) if self._early_answers else 0.0

    def _seconds_until_retry(self) -> float:
        return self.execution.retries.seconds_until_next(self.clock())

    @property
    def is_settled(self) -> bool:
        """Whether everything of the last state was applied, and nothing waits."""
        return self.tag is not None and not self._unsettled()

    @property
    def has_said_all(self) -> bool:
        """Whether of each version and removal of the last state it was said what became of it, or nothing is done."""
        if self.status is not None and (self.status != ACTIVE or self.read_only):
            return True
        return self.tag is not None and all(
            self.outbox.has_said(object_id) for object_id in self._unsettled()
        )

    def _unsettled(self) -> list[str]:
        """The versions and removals of the last state that are not carried out."""
        if self.state is None:
            return []
        inventories = self.shelf.inventories
        return [
            version.id
            for version in self.state.versions
            if version.stack_id not in inventories or not is_applied(version, inventories[version.stack_id])
        ] + [removal.id for removal in self.state.removals if removal.stack_id in inventories]

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
            self.tag, self.seen = answer["tag"], str(answer["seen"])
            self.confirmed = set(answer["confirmed_removals"])
        except BrokerAway as error:
            logger.warning("the broker is away", extra={"problem": str(error)})
            return error.retry_after or self.interval
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("the broker's answer is malformed", extra={"problem": type(error).__name__})
            return self.interval
        self.outbox.confirm(sent)
        if answer["agent_status"] != ACTIVE:
            self.state = None
            if self.status != answer["agent_status"]:
                logger.warning(
                    "the broker gives nothing to an agent that is not active; activate it there",
                    extra={"agent_status": answer["agent_status"]},
                )
        self.status = answer["agent_status"]
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
        self.execution.forget_others(known)

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
        decision.apply = [
            version
            for version in decision.apply
            if version.id in self.texts or not self.execution.adopt(version)
        ]
        if any(version.id not in self.texts for version in decision.apply):
            # They were thought to be held; without a tag the next answer has all that are not.
            self.tag = None
        self.execution.carry_out(decision, self.texts)
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

    def _look(self) -> None:
        now = moments.now()
        for object_id, status, summary in self.observer.look(self.shelf.inventories.values(), self.clock()):
            self.outbox.report_health(object_id, status, summary, now)
