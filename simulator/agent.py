"""An agent: it polls, reports new objects as deployed, sends heartbeats, looks for work, and waits."""

import asyncio
import random
import time
from collections.abc import Sequence

from simulator.client import FAILURES, Client, Unexpected
from simulator.http import Connection, CutOff, Request
from simulator.invariants import Poll, Shown
from simulator.journal import Journal
from simulator.messages import tell
from simulator.truth import AgentHistory
from simulator.verifier import Verifier

_BATCH = 500


class Agent:
    """The agent with this number in the journal. It has the last answer only in memory, so a kill loses it."""

    def __init__(
        self, number: int, client: Client, journal: Journal, verifier: Verifier, chance: random.Random
    ) -> None:
        self._number = number
        self._client = client
        self._journal = journal
        self._verifier = verifier
        self._chance = chance
        self._history: AgentHistory = journal.truth.agents[number]
        self._etag = ""
        self._shown: tuple[Shown, ...] = ()

    async def run_until(self, deadline: float, *, interval: float, within: float) -> None:
        """Begin at a random moment within `within` seconds, then do one round every `interval` seconds.

        `deadline` is a moment of the monotonic clock; no round begins after it.
        """
        start = time.monotonic() + self._chance.random() * within
        while start < deadline:
            await asyncio.sleep(start - time.monotonic())
            await self._round()
            start = max(start + interval, time.monotonic())

    async def _round(self) -> None:
        """Everything an agent does in one interval, on one connection."""
        connection = self._client.connect()
        for step in (self._poll, self._beat, self._look_for_work):
            try:
                await step(connection)
            except CutOff:
                pass
            except FAILURES:
                # The client has counted it. The agent goes on, as real agents do.
                break
            except Unexpected as error:
                tell("trouble", text=str(error))
        connection.close()

    async def _poll(self, connection: Connection) -> None:
        """Ask for the target state, check the answer, and report the new objects."""
        seen_before = dict(self._history.seen)
        headers = {"If-None-Match": self._etag} if self._etag else None
        answer = await self._client.call(
            "poll",
            connection,
            self._request("GET", "target-state", headers=headers),
            expected={200, 304},
            fault=self._client.draw_fault(),
        )
        if answer.status == 200:
            self._etag = answer.headers.get("etag", "")
            self._shown = tuple(
                Shown(row["id"], row["stack_id"], row["sequence_id"], row["is_deletion_marker"])
                for row in answer.json()
            )
        # 304 says that the agent's last answer is still right, so that answer is checked again.
        self._verifier.check(self._history, Poll(self._shown, answer.began, answer.ended, seen_before))
        fresh = [shown for shown in self._shown if shown.id not in self._history.reported]
        for start in range(0, len(fresh), _BATCH):
            await self._report(connection, fresh[start : start + _BATCH])

    async def _report(self, connection: Connection, fresh: Sequence[Shown]) -> None:
        """Report that these objects are deployed: a single object alone, several in a batch."""
        on = [(shown.stack_id, shown.id, shown.is_marker) for shown in fresh]
        began = time.monotonic()
        self._journal.write({"what": "ask", "agent": self._number, "on": on, "at": began})
        events = [
            {"deployment_object_id": shown.id, "event_type": "DEPLOY", "status": "SUCCESS"} for shown in fresh
        ]
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
        self._journal.write(
            {
                "what": "told",
                "agent": self._number,
                "on": on,
                "began": began,
                "at": time.monotonic(),
                "events": [row["id"] for row in rows],
            }
        )

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
