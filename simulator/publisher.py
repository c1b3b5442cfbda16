"""A generator's pipeline: it makes stacks, and changes them now and then."""

import asyncio
import os
import random
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import quote

from simulator.client import FAILURES, Client, Unexpected
from simulator.http import Request
from simulator.journal import Journal
from simulator.messages import tell
from simulator.plan import CellPlan
from simulator.truth import Record, StackHistory


class Publisher:
    """Makes one change of a stack at a time, so that the order of its changes is known.

    Every change has an Idempotency-Key if the broker accepts one. An unanswered change is repeated with the same key.
    """

    def __init__(self, plan: CellPlan, client: Client, journal: Journal, chance: random.Random) -> None:
        self._plan = plan
        self._client = client
        self._journal = journal
        self._truth = journal.truth
        self._chance = chance
        self._groups = max(1, plan.stacks // plan.matched)
        self._keys = 0
        self._busy: set[str] = set()

    def label_of(self, number: int) -> str:
        """The label of the agents and stacks in the group of this number."""
        return f"{self._plan.name}-group-{number % self._groups}"

    async def create_stack(self, number: int) -> None:
        """Make a stack in this number's group, with its label and a first version. Raises what Client.insist raises."""
        key = self._new_key()
        request = Request(
            "POST",
            "/stacks",
            self._truth.generator_key,
            body={"name": f"{self._plan.name}-{number}-{key}"},
            headers={"Idempotency-Key": key},
        )
        answer = await self._client.insist("create stack", request, expected={201})
        stack_id = answer.json()["id"]
        self._busy.add(stack_id)
        self._journal.write({"what": "stack", "id": stack_id})
        stack = self._truth.stacks[stack_id]
        await self._change(stack, "label", label=self.label_of(number))
        await self._change(stack, "publish")
        self._busy.discard(stack_id)

    async def run_until(self, deadline: float) -> None:
        """Change a stack now and then: mostly publish, sometimes remove a label and add it again, rarely delete.

        It begins with the changes that a kill interrupted.
        """
        async with asyncio.TaskGroup() as tasks:
            for record in list(self._truth.unfinished.values()):
                tasks.create_task(self._alone(record["stack"], self._finish(record, fault=None)))
            while time.monotonic() < deadline:
                await asyncio.sleep(self._chance.expovariate(self._plan.changes_per_second))
                free = [
                    stack
                    for stack in self._truth.stacks.values()
                    if stack.deletion is None and stack.id not in self._busy
                ]
                if free and time.monotonic() < deadline:
                    stack = self._chance.choice(free)
                    tasks.create_task(self._alone(stack.id, self._change_somehow(stack)))

    def _alone(self, stack_id: str, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """Do the work. Until it is done, nothing else changes the stack."""
        self._busy.add(stack_id)

        async def guarded() -> None:
            try:
                await work
            except (*FAILURES, Unexpected) as error:
                tell("trouble", text=str(error))
            finally:
                self._busy.discard(stack_id)

        return guarded()

    async def _change_somehow(self, stack: StackHistory) -> None:
        draw, now = self._chance.random(), time.monotonic()
        carried = [label for label, toggle in stack.labels.items() if toggle.possible(now, now) == {True}]
        if draw < 0.1 and len(self._truth.stacks) > 1:
            await self._change(stack, "delete")
            await self.create_stack(self._chance.randrange(self._groups))
        elif draw < 0.25 and carried:
            await self._change(stack, "unlabel", label=carried[0])
        elif draw < 0.3 or not carried:
            await self._change(stack, "label", label=self.label_of(self._chance.randrange(self._groups)))
        else:
            await self._change(stack, "publish")

    async def _change(self, stack: StackHistory, change: str, *, label: str = "") -> None:
        now = time.monotonic()
        if change == "label" and label in stack.labels and True in stack.labels[label].possible(now, now):
            return
        record = {
            "what": "begin",
            "stack": stack.id,
            "change": change,
            "label": label,
            "key": self._new_key(),
            "at": now,
        }
        self._journal.write(record)
        await self._finish(record, fault=self._client.draw_fault())

    async def _finish(self, record: Record, *, fault: str | None) -> None:
        """Request a change until it is acknowledged."""
        kind, request, expected = self._request_for(record)
        answer = await self._client.insist(kind, request, expected=expected, fault=fault)
        end: Record = {"what": "end", "key": record["key"]}
        if record["change"] == "publish":
            end |= {name: answer.json()[name] for name in ("id", "sequence_id")}
        self._journal.write(end | {"at": time.monotonic()})

    def _request_for(self, record: Record) -> tuple[str, Request, set[int]]:
        """The kind of call, the request and the statuses that acknowledge it."""
        path, label, key = f"/stacks/{record['stack']}", record["label"], self._truth.generator_key
        keyed = {"Idempotency-Key": record["key"]}
        match record["change"]:
            case "publish":
                body: object = {"yaml_content": self._manifest(record["key"])}
                request = Request("POST", f"{path}/deployment-objects", key, body=body, headers=keyed)
                return "publish", request, {201}
            case "label":
                return "label", Request("POST", f"{path}/labels", key, body=label, headers=keyed), {201}
            case "unlabel":
                # 404 means that an earlier attempt did it; the same below.
                request = Request("DELETE", f"{path}/labels/{quote(label, safe='')}", key)
                return "unlabel", request, {204, 404}
            case "delete":
                return "delete stack", Request("DELETE", path, key), {204, 404}
        raise ValueError(f"{record['change']!r} is no change of a stack")

    def _manifest(self, name: str) -> str:
        head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: '{name}'\ndata:\n  filler: |\n"
        line = "    all work and no play makes a dull manifest of the usual length\n"
        return head + line * max(1, (self._plan.object_bytes - len(head)) // len(line))

    def _new_key(self) -> str:
        self._keys += 1
        return f"{self._plan.name}-{os.getpid()}-{self._keys}"
