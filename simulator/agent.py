"""An agent: it polls, reports new objects as deployed, sends heartbeats, looks for work, and waits.

Or it syncs in place of all that, as brokkr-agent does.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from simulator.client import FAILURES, Client, NotNow, Unexpected
from simulator.http import Answer, Connection, CutOff, Request
from simulator.invariants import Poll, Shown
from simulator.journal import Journal
from simulator.messages import tell
from simulator.outcomes import Outcome, outcome_of
from simulator.truth import AgentHistory
from simulator.verifier import Verifier

_BATCH = 500
# Of a fleet with rollouts: how often a call that was cut is repeated within the round, lest a wave wait for the next.
_REPEATS = 5
_REPEAT_AFTER_SECONDS = 1.0


@dataclass(slots=True)
class Until:
    """A moment of the monotonic clock that may be brought forward."""

    moment: float


class _Silenced(Exception):
    """A version has taken the agent off the network."""


class Agent:
    """The agent with this number in the journal. It has the last answer only in memory, so a kill loses it."""

    def __init__(
        self,
        number: int,
        client: Client,
        journal: Journal,
        verifier: Verifier,
        chance: random.Random,
        *,
        silence: float = 0.0,
        syncs: bool = False,
    ) -> None:
        self._number = number
        self._client = client
        self._journal = journal
        self._verifier = verifier
        self._chance = chance
        self._history: AgentHistory = journal.truth.agents[number]
        self._syncs = syncs
        # The tag of the last answer; of a sync, in its body.
        self._etag = ""
        # By id, the checksums of the versions whose texts need not be sent again.
        self._held: dict[str, str] = {}
        self._shown: tuple[Shown, ...] = ()
        # By object, the ids of reports in syncs, which are sent again under the same id until a sync is answered.
        self._report_ids: dict[str, str] = {}
        self._rollout_stacks = journal.truth.rollout_stacks
        self._silence = silence
        # What the versions of rollout stacks that it holds do to it, by their ids.
        self._outcomes: dict[str, Outcome] = {}
        self._silenced_by: set[str] = set()

    async def run_until(self, end: Until, *, interval: float, within: float) -> None:
        """Begin at a random moment within `within` seconds, then do one round every `interval` seconds.

        No round begins after the end.
        """
        start = time.monotonic() + self._chance.random() * within
        while start < end.moment:
            await asyncio.sleep(start - time.monotonic())
            if time.monotonic() < end.moment and not any(
                span.ended > time.monotonic() for span in self._history.silences
            ):
                await self._round()
            start = max(start + interval, time.monotonic())

    async def _round(self) -> None:
        """Everything an agent does in one interval, on one connection."""
        connection = self._client.connect()
        steps = [self._sync] if self._syncs else [self._poll, self._beat, self._look_for_work]
        if self._rollout_stacks and not self._syncs:
            steps.insert(1, self._tell_health)
        for step in steps:
            try:
                await self._do(step, connection)
            except CutOff:
                pass
            except _Silenced:
                break
            except (NotNow, *FAILURES):
                # The client has counted it. The agent comes again, as real agents do.
                break
            except Unexpected as error:
                tell("trouble", text=str(error))
        connection.close()

    async def _do(self, step: Callable[[Connection], Awaitable[None]], connection: Connection) -> None:
        """The step. What is cut off is done again, in a fleet with rollouts."""
        for _ in range(_REPEATS if self._rollout_stacks else 0):
            try:
                await step(connection)
            except CutOff:
                await asyncio.sleep(_REPEAT_AFTER_SECONDS)
            else:
                return
        await step(connection)

    async def _poll(self, connection: Connection) -> None:
        """Ask for the target state, check the answer, and report the new objects."""
        seen_before = dict(self._history.seen)
        headers = {"If-None-Match": self._etag} if self._etag else None
        request, fault = self._request("GET", "target-state", headers=headers), self._client.draw_fault()
        began = time.monotonic()
        try:
            answer = await self._client.call("poll", connection, request, expected={200, 304}, fault=fault)
        except (CutOff, Unexpected, *FAILURES):
            self._history.lose(began)
            raise
        if fault == "duplicate":
            # Nobody looks at the second answer.
            self._history.lose(began)
        if answer.status == 200:
            self._etag = answer.headers.get("etag", "")
            self._take_over(answer.json(), answer.ended)
        # 304 says that what the agent holds is still the answer, so it is checked like one.
        self._check(answer, seen_before)
        fresh = self._unreported()
        self._apply(fresh)
        for start in range(0, len(fresh), _BATCH):
            await self._report(connection, fresh[start : start + _BATCH])

    async def _sync(self, connection: Connection) -> None:
        """Ask for what is new, and report on it by the next call, until nothing is new."""
        await self._sync_once(connection, self._unreported())
        while fresh := self._unreported():
            self._apply(fresh)
            await self._sync_once(connection, fresh)

    async def _sync_once(self, connection: Connection, fresh: Sequence[Shown]) -> None:
        """Say that it lives, report on these objects, and check the answer."""
        seen_before, fresh = dict(self._history.seen), fresh[:_BATCH]
        body = {
            "tag": self._etag or None,
            "held": list(self._held.values()),
            "agent_version": "simulated",
            "k8s_reachable": True,
            "k8s_api_latency_ms": self._chance.randrange(1, 50),
            "reports": [
                {"report_id": self._report_ids.setdefault(each["deployment_object_id"], str(uuid4())), **each}
                for each in self._outcomes_of(fresh)
            ],
            "health": [
                {"report_id": str(uuid4()), "deployment_object_id": each.pop("id"), **each}
                for each in self._health()
            ],
        }
        request, fault = self._request("POST", "sync", body=body), self._client.draw_fault()
        began = time.monotonic()
        if fresh:
            self._note_asked(fresh, began)
        kind = "sync with reports" if fresh else "sync"
        try:
            answer = await self._client.call(kind, connection, request, expected={200}, fault=fault)
        except (CutOff, Unexpected, *FAILURES):
            self._history.lose(began)
            raise
        if fault == "duplicate":
            self._history.lose(began)
        said = answer.json()
        if fresh:
            # Sync tells no ids of reports.
            self._note_told(fresh, began, [shown.id for shown in fresh])
        if said["state"] is not None:
            versions = [row | {"is_deletion_marker": False} for row in said["state"]["versions"]]
            removals = [row | {"is_deletion_marker": True} for row in said["state"]["removals"]]
            rows = sorted(versions + removals, key=lambda row: row["sequence_id"], reverse=True)
            # What versions of rollout stacks do is in their texts, which are not kept.
            self._held = {
                row["id"]: row["yaml_checksum"]
                for row in versions
                if row["stack_id"] not in self._rollout_stacks
            }
            self._etag = said["tag"] or ""
            self._take_over(rows, answer.ended)
        self._check(answer, seen_before)

    def _take_over(self, rows: Sequence[Mapping[str, Any]], ended: float) -> None:
        self._shown = tuple(
            Shown(row["id"], row["stack_id"], row["sequence_id"], row["is_deletion_marker"]) for row in rows
        )
        self._see(rows, ended)

    def _check(self, answer: Answer, seen_before: dict[str, int]) -> None:
        """Check what the agent holds now against the truth: what it was given, or what is said to be still right."""
        self._verifier.check(self._history, Poll(self._shown, answer.began, answer.ended, seen_before))

    def _unreported(self) -> list[Shown]:
        return [shown for shown in self._shown if shown.id not in self._history.reported]

    async def _report(self, connection: Connection, fresh: Sequence[Shown]) -> None:
        """Report that these objects are deployed: a single object alone, several in a batch."""
        began = time.monotonic()
        self._note_asked(fresh, began)
        events = self._outcomes_of(fresh)
        single = len(events) == 1
        request = (
            self._request("POST", "events", body=events[0])
            if single
            else self._request("POST", "events/batch", body={"events": events})
        )
        answer = await self._client.call(
            "report one" if single else "report many",
            connection,
            request,
            expected={201},
            fault=self._client.draw_fault(),
        )
        rows = [answer.json()] if single else answer.json()
        self._note_told(fresh, began, [row["id"] for row in rows])

    def _outcomes_of(self, fresh: Iterable[Shown]) -> list[dict[str, str]]:
        """The reports on these objects."""
        return [
            {
                "deployment_object_id": shown.id,
                "event_type": "DEPLOY",
                "status": "FAILURE" if self._fails(shown) else "SUCCESS",
            }
            for shown in fresh
        ]

    def _fails(self, shown: Shown) -> bool:
        return self._outcomes.get(shown.id) == Outcome.FAILS

    def _note_asked(self, fresh: Sequence[Shown], began: float) -> None:
        on = [(shown.stack_id, shown.id, shown.is_marker) for shown in fresh]
        self._journal.write({"what": "ask", "agent": self._number, "on": on, "at": began})

    def _note_told(self, fresh: Sequence[Shown], began: float, events: Sequence[str]) -> None:
        """Note that the reports were acknowledged. `events` are the ids by which they must be found."""
        on = [(shown.stack_id, shown.id, shown.is_marker) for shown in fresh]
        record = {"what": "told", "agent": self._number, "on": on, "began": began, "at": time.monotonic()}
        self._journal.write({**record, "events": events})
        for shown in fresh:
            self._report_ids.pop(shown.id, None)
        self._note_failures([shown.id for shown in fresh if self._fails(shown)], began)

    def _see(self, rows: Sequence[Mapping[str, Any]], ended: float) -> None:
        """Note the versions of rollout stacks in an answer, and what they do."""
        mine = [row for row in rows if row["stack_id"] in self._rollout_stacks]
        self._outcomes = {row["id"]: outcome_of(row["yaml_content"]) for row in mine}
        for row in mine:
            if row["id"] not in self._history.sights:
                record = {"stack": row["stack_id"], "object": row["id"], "sequence_id": row["sequence_id"]}
                self._journal.write({"what": "saw", "agent": self._number, **record, "at": ended})

    def _apply(self, fresh: Sequence[Shown]) -> None:
        """Raises _Silenced when a version takes the agent off the network; once it is back, it is well."""
        silencing = [shown.id for shown in fresh if self._outcomes.get(shown.id) == Outcome.SILENCES]
        if silencing and not any(object_id in self._silenced_by for object_id in silencing):
            self._silenced_by.update(silencing)
            now = time.monotonic()
            self._journal.write(
                {"what": "silent", "agent": self._number, "at": now, "until": now + self._silence}
            )
            raise _Silenced

    def _note_failures(self, object_ids: Iterable[str], began: float) -> None:
        for object_id in object_ids:
            if object_id not in self._history.failures:
                record = {"what": "failed", "agent": self._number, "object": object_id, "began": began}
                self._journal.write(record | {"at": time.monotonic()})

    async def _tell_health(self, connection: Connection) -> None:
        if not (health := self._health()):
            return
        request = self._request("PATCH", "health-status", body={"deployment_objects": health})
        fault = self._client.draw_fault()
        await self._client.call("tell health", connection, request, expected={200, 204}, fault=fault)

    def _health(self) -> list[dict[str, str]]:
        """How well the versions of rollout stacks are that were applied."""
        at = datetime.now(UTC).isoformat()
        return [
            {
                "id": key,
                "status": "failing" if outcome == Outcome.UNHEALTHY else "healthy",
                "checked_at": at,
            }
            for key, outcome in self._outcomes.items()
            if outcome != Outcome.FAILS
        ]

    async def _beat(self, connection: Connection) -> None:
        body = {"k8s_reachable": True, "k8s_api_latency_ms": self._chance.randrange(1, 50)}
        await self._client.call(
            "heartbeat",
            connection,
            self._request("POST", "heartbeat", body=body),
            expected={204},
            fault=self._client.draw_fault(),
        )

    async def _look_for_work(self, connection: Connection) -> None:
        await self._client.call(
            "look for work",
            connection,
            self._request("GET", "work-orders/pending"),
            expected={200},
            fault=self._client.draw_fault(),
        )

    def _request(
        self, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
    ) -> Request:
        """Make a request about this agent, with its key."""
        return Request(
            method, f"/agents/{self._history.id}/{path}", self._history.key, body=body, headers=headers
        )
