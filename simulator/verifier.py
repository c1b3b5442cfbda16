"""Checks the broker's answers: each poll while the fleet lives, and all acknowledged writes at its end."""

import time
from typing import Any

from simulator.client import Client
from simulator.http import Request
from simulator.invariants import Poll, Violation, check_poll, remember
from simulator.pool import for_all
from simulator.truth import AgentHistory, StackHistory, Truth


class Verifier:
    """Collects violations. `violations` has those since it was last cleared."""

    def __init__(self, client: Client, truth: Truth) -> None:
        self.violations: list[Violation] = []
        self._client = client
        self._truth = truth

    def check(self, agent: AgentHistory, poll: Poll) -> None:
        """Compare the answer to a poll with the truth, and record that the agent has seen it."""
        self.violations += check_poll(self._truth, agent, poll)
        remember(agent, poll)

    async def check_writes(self) -> None:
        """Check that everything that was acknowledged exists.

        Raises an ExceptionGroup of what Client.insist raises.
        """
        await for_all(list(self._truth.stacks.values()), self._check_stack)
        await for_all(self._truth.agents, self._check_agent)

    async def _check_stack(self, stack: StackHistory) -> None:
        path, now = f"/stacks/{stack.id}", time.monotonic()
        request = Request("GET", path, self._truth.generator_key)
        answer = await self._client.insist("verify", request, expected={200, 404})
        alive = stack.alive.possible(now, now)
        if (answer.status == 200) not in alive:
            self._miss(f"stack {stack.id} answers {answer.status}")
        if alive != {True}:
            return
        rows = await self._rows(f"{path}/deployment-objects", self._truth.generator_key)
        there = {row["id"] for row in rows}
        for published in stack.objects:
            if published.id is not None and published.id not in there:
                self._miss(f"deployment object {published.id} of stack {stack.id}")
        carried = {row["label"] for row in await self._rows(f"{path}/labels", self._truth.generator_key)}
        for label, toggle in stack.labels.items():
            if (label in carried) not in toggle.possible(now, now):
                self._miss(f"label {label} of stack {stack.id}: carried is {label in carried}")

    async def _check_agent(self, agent: AgentHistory) -> None:
        rows = await self._rows(f"/agents/{agent.id}/events", agent.key)
        found = {row[name] for row in rows for name in ("id", "deployment_object_id")}
        for event_id in agent.event_ids.keys() - found:
            self._miss(f"event {event_id}")

    async def _rows(self, path: str, key: str) -> list[dict[str, Any]]:
        answer = await self._client.insist("verify", Request("GET", path, key), expected={200})
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def _miss(self, what: str) -> None:
        self.violations.append(Violation("no acknowledged write is missing", "", what))
