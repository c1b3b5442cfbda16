"""One process of the fleet: a generator with its stacks, the agents that serve them, and a publisher.

What it did is in its journal before and after it does it, so that a cell that was killed goes on where it was:
unacknowledged changes are repeated with the same Idempotency-Key. Run by fleet.py as `python -m simulator.cell`, with
its configuration as one line on stdin; it answers with lines of JSON on stdout.
"""

import asyncio
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from simulator.http import Answer, Connection, CutOff, Misbehaviour, NoAnswer, Site
from simulator.invariants import Poll, Shown, Violation, check_poll, remember
from simulator.stats import Calls
from simulator.truth import Agent, Record, Stack, Truth

_AT_ONCE = 8
_RETRY_SECONDS = 0.5
# A request that was cut off may still be at work in the server; its repetition must not overtake it.
_SETTLE_SECONDS = 1.0
_PATIENCE = 120
_BATCH = 500
# What an agent whose clock is off says of the time: hours behind, and hours ahead.
_WRONG_DATES = ("Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT")
_MISBEHAVIOUR = {
    "drop": (Misbehaviour.CUT_WHILE_SENDING, Misbehaviour.CUT_BEFORE_ANSWER),
    "slow": (Misbehaviour.READ_SLOWLY,),
}
_FAILURES = (OSError, TimeoutError, NoAnswer)


@dataclass(frozen=True)
class Config:
    """What one cell is to do. `resume` starts from the journal instead of setting up."""

    url: str
    admin_key: str
    name: str
    journal: str
    agents: int
    stacks: int
    matched: int
    object_bytes: int
    interval: float
    joining: float
    duration: float
    changes_per_second: float
    faults: Sequence[str]
    fault_share: float
    keep: bool
    seed: int
    resume: bool = False
    deadline: float = 0.0


class Unexpected(Exception):
    """The broker refused what it should not refuse."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Holding:
    """What an agent has in memory, and loses when it is killed."""

    etag: str = ""
    shown: tuple[Shown, ...] = ()


class Cell:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.site = Site(config.url)
        self.truth = Truth()
        self.calls: dict[str, Calls] = defaultdict(Calls)
        self.violations: list[Violation] = []
        self.random = random.Random(config.seed)  # noqa: S311  chance, not secrecy
        self.groups = max(1, config.stacks // config.matched)
        self._journal = Path(config.journal).open("ab", buffering=0)  # noqa: SIM115  open as long as the process
        self._cpu = 0.0
        self._keys = 0
        self._busy: set[str] = set()

    # --- What happened -----------------------------------------------------------------------------

    def write(self, record: Record) -> None:
        """Into the journal, and so into what is known."""
        self._journal.write(orjson.dumps(record) + b"\n")
        self.truth.apply(record)

    def read_journal(self) -> None:
        """Know again what an earlier process of this cell did. The kill may have cut the last line short."""
        for line in Path(self.config.journal).read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                self.truth.apply(orjson.loads(line))

    def tell(self, event: str, **data: object) -> None:
        sys.stdout.buffer.write(orjson.dumps({"event": event} | data) + b"\n")
        sys.stdout.buffer.flush()

    def tell_numbers(self, *, joining: bool = False) -> None:
        """What was counted since the last time; `joining` if that was while agents joined."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = usage.ru_utime + usage.ru_stime
        self.tell(
            "numbers",
            calls={kind: calls.as_data() for kind, calls in self.calls.items()},
            violations=[asdict(violation) for violation in self.violations],
            cpu=cpu - self._cpu,
            joining=joining,
        )
        self._cpu = cpu
        self.calls.clear()
        self.violations.clear()

    # --- Calls -------------------------------------------------------------------------------------

    def fault(self) -> str | None:
        """Which fault this request has, if any."""
        faults = [fault for fault in self.config.faults if fault != "kill"]
        if not faults or self.random.random() >= self.config.fault_share:
            return None
        return self.random.choice(faults)

    async def call(
        self,
        kind: str,
        connection: Connection,
        method: str,
        path: str,
        *,
        expected: Iterable[int],
        fault: str | None = None,
        **request: Any,
    ) -> Answer:
        """One counted request. Raises Unexpected for another status, and what Connection.request raises."""
        misbehaviour = self.random.choice(_MISBEHAVIOUR[fault]) if fault in _MISBEHAVIOUR else None
        if misbehaviour is not None:
            # With a buffer of its own.
            connection = Connection(self.site)
        if fault == "skew":
            wrong = self.random.choice(_WRONG_DATES)
            request["headers"] = (request.get("headers") or {}) | {"Date": wrong, "If-Modified-Since": wrong}
        try:
            if fault == "duplicate":
                twin = Connection(self.site)
                try:
                    answer, _ = await asyncio.gather(
                        connection.request(method, path, **request), twin.request(method, path, **request)
                    )
                finally:
                    twin.close()
            else:
                answer = await connection.request(method, path, misbehaviour=misbehaviour, **request)
        except (*_FAILURES, CutOff) as error:
            self.calls[kind].count += 1
            if isinstance(error, CutOff):
                self.calls[kind].on_purpose += 1
            else:
                self.calls[kind].errors[type(error).__name__] += 1
            raise
        # Not looked up before: the numbers are handed over, and begin anew, while requests are under way.
        calls = self.calls[kind]
        calls.count += 1
        calls.on_purpose += misbehaviour is not None
        calls.sent += answer.sent
        calls.received += answer.received
        calls.statuses[str(answer.status)] += 1
        if misbehaviour is None:
            calls.took(answer.ended - answer.began)
        if answer.status not in set(expected):
            calls.errors[str(answer.status)] += 1
            raise Unexpected(answer.status, f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    async def insist(
        self, kind: str, method: str, path: str, *, expected: Iterable[int], **request: Any
    ) -> Answer:
        """Repeat the same request until it is answered as expected."""
        fault, connection = request.pop("fault", None), Connection(self.site)
        for attempt in range(_PATIENCE):
            try:
                return await self.call(
                    kind, connection, method, path, expected=expected, fault=fault, **request
                )
            except CutOff:
                await asyncio.sleep(_SETTLE_SECONDS)
            except (*_FAILURES, Unexpected) as error:
                refused = isinstance(error, Unexpected) and error.status < 500
                if refused or attempt == _PATIENCE - 1:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                connection.close()
            fault = None
        raise NoAnswer(f"{method} {path}: cut off again and again")

    def new_key(self) -> str:
        self._keys += 1
        return f"{self.config.name}-{os.getpid()}-{self._keys}"

    # --- Setting up --------------------------------------------------------------------------------

    async def set_up(self) -> None:
        """A generator, its stacks with a first version each, and the agents."""
        made = (
            await self.insist(
                "set up",
                "POST",
                "/generators",
                key=self.config.admin_key,
                body={"name": self.config.name},
                expected=[201],
            )
        ).json()
        self.write({"what": "generator", "id": made["generator"]["id"], "key": made["pak"]})
        total, done = self.config.stacks + self.config.agents, 0

        async def one(make: Callable[[int], Awaitable[None]], number: int) -> None:
            nonlocal done
            await make(number)
            done += 1
            if done % 20 == 0 or done == total:
                self.tell("progress", done=done, total=total)

        await _at_once(lambda number: one(self.make_stack, number), range(self.config.stacks))
        await _at_once(lambda number: one(self.make_agent, number), range(self.config.agents))

    async def make_stack(self, number: int) -> None:
        key = self.new_key()
        answer = await self.insist(
            "create stack",
            "POST",
            "/stacks",
            key=self.truth.generator_key,
            body={"name": f"{self.config.name}-{number}-{key}"},
            headers={"Idempotency-Key": key},
            expected=[201],
        )
        stack_id = answer.json()["id"]
        self._busy.add(stack_id)
        self.write({"what": "stack", "id": stack_id})
        stack = self.truth.stacks[stack_id]
        await self.change(stack, "label", label=self.label_of(number))
        await self.change(stack, "publish")
        self._busy.discard(stack_id)

    async def make_agent(self, number: int) -> None:
        admin, name = self.config.admin_key, f"{self.config.name}-{number}"
        labels = (self.label_of(number),)
        body = {"name": name, "cluster_name": "simulated", "generator_ids": [self.truth.generator_id]}
        answer = await self.insist("set up", "POST", "/agents", key=admin, body=body, expected=[201])
        made = answer.json()
        path = f"/agents/{made['agent']['id']}"
        for label in labels:
            await self.insist(
                "set up", "POST", f"{path}/labels", key=admin, body={"label": label}, expected=[201]
            )
        await self.insist("set up", "PUT", path, key=admin, body={"status": "ACTIVE"}, expected=[200])
        self.write({"what": "agent", "id": made["agent"]["id"], "key": made["initial_pak"], "labels": labels})

    def label_of(self, number: int) -> str:
        return f"{self.config.name}-group-{number % self.groups}"

    # --- Publishers --------------------------------------------------------------------------------

    async def publish_until(self, deadline: float) -> None:
        """Now and then change a stack: mostly publish, sometimes take off a label and put it back, rarely delete."""
        async with asyncio.TaskGroup() as tasks:
            # What a kill interrupted.
            for record in list(self.truth.unfinished.values()):
                tasks.create_task(self.alone(record["stack"], self.finish(record, fault=None)))
            while time.monotonic() < deadline:
                await asyncio.sleep(self.random.expovariate(self.config.changes_per_second))
                free = [
                    stack
                    for stack in self.truth.stacks.values()
                    if stack.deletion is None and stack.id not in self._busy
                ]
                if free and time.monotonic() < deadline:
                    stack = self.random.choice(free)
                    tasks.create_task(self.alone(stack.id, self.change_somehow(stack)))

    def alone(self, stack_id: str, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """The work, with nobody else changing that stack from now on until it is done."""
        self._busy.add(stack_id)

        async def guarded() -> None:
            try:
                await work
            except (*_FAILURES, Unexpected) as error:
                self.tell("trouble", text=str(error))
            finally:
                self._busy.discard(stack_id)

        return guarded()

    async def change_somehow(self, stack: Stack) -> None:
        chance = self.random.random()
        now = time.monotonic()
        carried = [label for label, toggle in stack.labels.items() if toggle.possible(now, now) == {True}]
        if chance < 0.1 and len(self.truth.stacks) > 1:
            await self.change(stack, "delete")
            await self.make_stack(self.random.randrange(self.groups))
        elif chance < 0.25 and carried:
            await self.change(stack, "unlabel", label=carried[0])
        elif chance < 0.3 or not carried:
            await self.change(stack, "label", label=self.label_of(self.random.randrange(self.groups)))
        else:
            await self.change(stack, "publish")

    async def change(self, stack: Stack, change: str, *, label: str = "") -> None:
        if change == "label" and True in self.possible_now(stack, label):
            return
        record = {
            "what": "begin",
            "stack": stack.id,
            "change": change,
            "label": label,
            "key": self.new_key(),
            "at": time.monotonic(),
        }
        self.write(record)
        await self.finish(record, fault=self.fault())

    def possible_now(self, stack: Stack, label: str) -> set[bool]:
        now = time.monotonic()
        return stack.labels[label].possible(now, now) if label in stack.labels else set()

    async def finish(self, record: Record, *, fault: str | None) -> None:
        """Ask for a change until it is acknowledged."""
        path, label = f"/stacks/{record['stack']}", record["label"]
        request: dict[str, Any] = {"key": self.truth.generator_key, "fault": fault}
        keyed = request | {"headers": {"Idempotency-Key": record["key"]}}
        end: Record = {"what": "end", "key": record["key"]}
        match record["change"]:
            case "publish":
                answer = await self.insist(
                    "publish",
                    "POST",
                    f"{path}/deployment-objects",
                    body={"yaml_content": self.manifest(record["key"])},
                    expected=[201],
                    **keyed,
                )
                end |= {name: answer.json()[name] for name in ("id", "sequence_id")}
            case "label":
                await self.insist("label", "POST", f"{path}/labels", body=label, expected=[201], **keyed)
            case "unlabel":
                gone = f"{path}/labels/{quote(label, safe='')}"
                # 404: an earlier attempt did it.
                await self.insist("unlabel", "DELETE", gone, expected=[204, 404], **request)
            case "delete":
                await self.insist("delete stack", "DELETE", path, expected=[204, 404], **request)
        self.write(end | {"at": time.monotonic()})

    def manifest(self, key: str) -> str:
        head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: '{key}'\ndata:\n  filler: |\n"
        line = "    all work and no play makes a dull manifest of the usual length\n"
        return head + line * max(1, (self.config.object_bytes - len(head)) // len(line))

    # --- Agents ------------------------------------------------------------------------------------

    async def live_until(self, deadline: float, number: int) -> None:
        """An agent's day: poll, report, beat, look for work; then wait."""
        agent, holding = self.truth.agents[number], Holding()
        start = time.monotonic() + self.random.random() * (self.config.joining or self.config.interval)
        while start < deadline:
            await asyncio.sleep(start - time.monotonic())
            connection = Connection(self.site)
            for step in (self.poll_and_report, self.beat, self.look_for_work):
                try:
                    await step(connection, number, agent, holding)
                except CutOff:
                    pass
                except _FAILURES:
                    # Counted where it happened. The agent goes on, as agents do.
                    break
                except Unexpected as error:
                    self.tell("trouble", text=str(error))
            connection.close()
            start = max(start + self.config.interval, time.monotonic())

    async def poll_and_report(
        self, connection: Connection, number: int, agent: Agent, holding: Holding
    ) -> None:
        seen_before = dict(agent.seen)
        answer = await self.call(
            "poll",
            connection,
            "GET",
            f"/agents/{agent.id}/target-state",
            key=agent.key,
            headers={"If-None-Match": holding.etag} if holding.etag else None,
            expected=[200, 304],
            fault=self.fault(),
        )
        if answer.status == 200:
            holding.etag = answer.headers.get("etag", "")
            holding.shown = tuple(
                Shown(row["id"], row["stack_id"], row["sequence_id"], row["is_deletion_marker"])
                for row in answer.json()
            )
        # 304 says that what the agent holds is still the answer, so it is checked like one.
        poll = Poll(holding.shown, answer.began, answer.ended, seen_before)
        self.violations += check_poll(self.truth, agent, poll)
        remember(agent, poll)
        fresh = [shown for shown in holding.shown if shown.id not in agent.reported]
        for start in range(0, len(fresh), _BATCH):
            await self.report(connection, number, agent, fresh[start : start + _BATCH])

    async def report(self, connection: Connection, number: int, agent: Agent, fresh: Sequence[Shown]) -> None:
        on = [(shown.stack_id, shown.id, shown.is_marker) for shown in fresh]
        began = time.monotonic()
        self.write({"what": "ask", "agent": number, "on": on, "at": began})
        bodies = [
            {"deployment_object_id": shown.id, "event_type": "DEPLOY", "status": "SUCCESS"} for shown in fresh
        ]
        single = len(bodies) == 1
        answer = await self.call(
            "report one" if single else "report many",
            connection,
            "POST",
            f"/agents/{agent.id}/events" + ("" if single else "/batch"),
            key=agent.key,
            body=bodies[0] if single else {"events": bodies},
            expected=[201],
            fault=self.fault(),
        )
        rows = [answer.json()] if single else answer.json()
        self.write(
            {
                "what": "told",
                "agent": number,
                "on": on,
                "began": began,
                "at": time.monotonic(),
                "events": [row["id"] for row in rows],
            }
        )

    async def beat(self, connection: Connection, _number: int, agent: Agent, _holding: Holding) -> None:
        await self.call(
            "heartbeat",
            connection,
            "POST",
            f"/agents/{agent.id}/heartbeat",
            key=agent.key,
            body={"k8s_reachable": True, "k8s_api_latency_ms": self.random.randrange(1, 50)},
            expected=[204],
            fault=self.fault(),
        )

    async def look_for_work(
        self, connection: Connection, _number: int, agent: Agent, _holding: Holding
    ) -> None:
        path = f"/agents/{agent.id}/work-orders/pending"
        await self.call(
            "look for work", connection, "GET", path, key=agent.key, expected=[200], fault=self.fault()
        )

    # --- The run and its end -----------------------------------------------------------------------

    async def run_until(self, deadline: float, *, joined: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(self.truth.agents)):
                tasks.create_task(self.live_until(deadline, number))
            tasks.create_task(self.publish_until(deadline))
            while (now := time.monotonic()) < deadline:
                await asyncio.sleep(min(1.0, (joined if now < joined else deadline) - now))
                self.tell_numbers(joining=now < joined)

    async def verify(self) -> None:
        """Look whether everything that was acknowledged is there."""
        await _at_once(self.verify_stack, list(self.truth.stacks.values()))
        await _at_once(self.verify_agent, self.truth.agents)

    async def verify_stack(self, stack: Stack) -> None:
        key, path, now = self.truth.generator_key, f"/stacks/{stack.id}", time.monotonic()
        answer = await self.insist("verify", "GET", path, key=key, expected=[200, 404])
        alive = stack.alive.possible(now, now)
        if (answer.status == 200) not in alive:
            self.miss(f"stack {stack.id} answers {answer.status}")
        if alive != {True}:
            return
        rows = (
            await self.insist("verify", "GET", f"{path}/deployment-objects", key=key, expected=[200])
        ).json()
        there = {row["id"] for row in rows}
        for published in stack.objects:
            if published.id is not None and published.id not in there:
                self.miss(f"deployment object {published.id} of stack {stack.id}")
        rows = (await self.insist("verify", "GET", f"{path}/labels", key=key, expected=[200])).json()
        carried = {row["label"] for row in rows}
        for label, toggle in stack.labels.items():
            if (label in carried) not in toggle.possible(now, now):
                self.miss(f"label {label} of stack {stack.id}: carried is {label in carried}")

    async def verify_agent(self, agent: Agent) -> None:
        path = f"/agents/{agent.id}/events"
        rows = (await self.insist("verify", "GET", path, key=agent.key, expected=[200])).json()
        for event_id in agent.event_ids - {row["id"] for row in rows}:
            self.miss(f"event {event_id}")

    def miss(self, what: str) -> None:
        self.violations.append(Violation("no acknowledged write is missing", "", what))

    async def clean_up(self) -> None:
        """Delete what the cell made."""

        async def delete(path: str) -> None:
            await self.insist("clean up", "DELETE", path, key=self.config.admin_key, expected=[204, 404])

        await _at_once(delete, [f"/agents/{agent.id}" for agent in self.truth.agents])
        await delete(f"/generators/{self.truth.generator_id}")


async def _at_once(work: Callable[[Any], Awaitable[None]], items: Iterable[Any]) -> None:
    """Do the work for all items, a few at a time."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(worker())


async def _live(cell: Cell) -> None:
    config = cell.config
    if config.resume:
        cell.read_journal()
    else:
        await cell.set_up()
        cell.tell_numbers()
        cell.tell("ready")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    joined = time.monotonic() + config.joining
    deadline = config.deadline if config.resume else joined + config.duration
    await cell.run_until(deadline, joined=joined)
    cell.tell_numbers()
    cell.tell("verifying")
    await cell.verify()
    if not config.keep:
        await cell.clean_up()
    cell.tell_numbers()
    cell.tell("done")


def main() -> int:
    """Run the cell that stdin describes. 1 when the broker cannot be reached or refuses to be used."""
    cell = Cell(Config(**orjson.loads(sys.stdin.readline())))
    try:
        asyncio.run(_live(cell))
    except (*_FAILURES, Unexpected) as error:
        cell.tell("failed", text=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
