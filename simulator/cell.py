"""One process of the fleet: a generator with its stacks, their publisher, and the agents that serve them.

fleet.py runs it as `python -m simulator.cell`, with its plan as one line on stdin. It answers with the messages of
messages.py. A killed cell is started again with `resume` and goes on from its journal.
"""

import asyncio
import math
import random
import resource
import sys
import time
from collections.abc import Awaitable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import orjson

from simulator.agent import Agent, Until
from simulator.client import Client
from simulator.http import Request, Site
from simulator.journal import Journal
from simulator.messages import exit_code, line_of_stdin, tell
from simulator.plan import CellPlan
from simulator.pool import for_all
from simulator.publisher import Publisher
from simulator.strategies import ring_of
from simulator.verifier import Verifier


class Cell:
    """Connects journal, client, publisher, agents and verifier."""

    def __init__(self, plan: CellPlan, journal: Journal) -> None:
        chance = random.Random(plan.seed)  # noqa: S311  chance, not secrecy
        self._plan = plan
        self._chance = chance
        self._journal = journal
        faults = [fault for fault in plan.faults if fault != "kill"]
        self._client = Client(Site(plan.url), faults, plan.fault_share, chance)
        self._publisher = Publisher(plan, self._client, self._journal, chance)
        self._verifier = Verifier(self._client, self._journal.truth)
        self._journal.truth.rollout_stacks = frozenset(plan.rollout_stacks)
        self._cpu = 0.0
        self._made = 0

    async def run(self) -> None:
        """Set up or resume, live, verify, clean up.

        Raises what Client.insist raises, alone or in an ExceptionGroup.
        """
        plan = self._plan
        if plan.resume:
            self._journal.read()
            for agent in self._journal.truth.agents:
                # What the killed process saw is lost.
                agent.lose(-math.inf)
        else:
            await self._set_up()
            self._tell_numbers()
            tell("ready")
            await line_of_stdin()
        joined = time.monotonic() + plan.joining
        await self._live_until(plan.deadline if plan.resume else joined + plan.duration, joined=joined)
        self._tell_numbers()
        tell("verifying")
        await self._verifier.check_writes()
        if not plan.keep:
            await self._clean_up()
        self._tell_numbers()
        tell("done")

    async def _set_up(self) -> None:
        """Make a generator, its stacks with a first version each, and the agents."""
        request = Request("POST", "/generators", self._plan.admin_key, body={"name": self._plan.name})
        made = (await self._client.insist("set up", request, expected={201})).json()
        self._journal.write({"what": "generator", "id": made["generator"]["id"], "key": made["pak"]})
        await for_all(
            range(self._plan.stacks), lambda number: self._make(self._publisher.create_stack(number))
        )
        await for_all(range(self._plan.agents), lambda number: self._make(self._create_agent(number)))

    async def _make(self, work: Awaitable[None]) -> None:
        """Do the work, and tell the progress now and then."""
        await work
        total = self._plan.stacks + self._plan.agents
        self._made += 1
        if self._made % 20 == 0 or self._made == total:
            tell("progress", done=self._made, total=total)

    async def _create_agent(self, number: int) -> None:
        admin, labels = self._plan.admin_key, [self._publisher.label_of(number)]
        generators = [self._journal.truth.generator_id]
        if self._plan.rollout_stacks:
            labels += [label for label in (self._plan.rollout_label, ring_of(number)) if label]
            generators.append(self._plan.rollout_generator)
        body = {
            "name": f"{self._plan.name}-{number}",
            "cluster_name": "simulated",
            "generator_ids": generators,
        }
        answer = await self._client.insist(
            "set up", Request("POST", "/agents", admin, body=body), expected={201}
        )
        made = answer.json()
        path = f"/agents/{made['agent']['id']}"
        for label in labels:
            labelling = Request("POST", f"{path}/labels", admin, body={"label": label})
            await self._client.insist("set up", labelling, expected={201})
        activation = Request("PUT", path, admin, body={"status": "ACTIVE"})
        await self._client.insist("set up", activation, expected={200})
        self._journal.write(
            {"what": "agent", "id": made["agent"]["id"], "key": made["initial_pak"], "labels": labels}
        )

    async def _live_until(self, deadline: float, *, joined: float) -> None:
        """Run agents and publisher together. Send the numbers every second; those of joining are separate."""
        interval, within = self._plan.interval, self._plan.joining or self._plan.interval
        end = Until(math.inf if self._plan.rollout_stacks else deadline)
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(self._journal.truth.agents)):
                living = Agent(
                    number,
                    self._client,
                    self._journal,
                    self._verifier,
                    self._chance,
                    silence=self._plan.silence,
                    syncs=self._plan.protocol == "sync",
                )
                tasks.create_task(living.run_until(end, interval=interval, within=within))
            tasks.create_task(self._publisher.run_until(deadline))
            if self._plan.rollout_stacks:
                tasks.create_task(_end_when_told(end))
            while (now := time.monotonic()) < end.moment:
                await asyncio.sleep(min(1.0, (joined if now < joined else end.moment) - now))
                self._tell_numbers(joining=now < joined)
        for number, agent in enumerate(self._journal.truth.agents):
            if self._plan.rollout_stacks and agent.asked > -math.inf:
                self._journal.write({"what": "asked", "agent": number, "at": agent.asked})

    async def _clean_up(self) -> None:
        """Delete everything that the cell made. The stacks are deleted with their generator."""
        await for_all([f"/agents/{agent.id}" for agent in self._journal.truth.agents], self._delete)
        await self._delete(f"/generators/{self._journal.truth.generator_id}")

    async def _delete(self, path: str) -> None:
        request = Request("DELETE", path, self._plan.admin_key)
        await self._client.insist("clean up", request, expected={204, 404})

    def _tell_numbers(self, *, joining: bool = False) -> None:
        """Send what was counted since the last time. `joining` says that agents joined in this time."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = usage.ru_utime + usage.ru_stime
        tell(
            "numbers",
            calls={kind: calls.as_data() for kind, calls in self._client.calls.items()},
            violations=[asdict(violation) for violation in self._verifier.violations],
            cpu=cpu - self._cpu,
            joining=joining,
        )
        self._cpu = cpu
        self._client.calls.clear()
        self._verifier.violations.clear()


async def _end_when_told(end: Until) -> None:
    await line_of_stdin()
    end.moment = time.monotonic()


def main() -> int:
    """Run the cell that stdin describes. The exit code is 1 when the broker cannot be reached or refuses to be used."""
    return exit_code(_run(CellPlan(**orjson.loads(sys.stdin.readline()))))


async def _run(plan: CellPlan) -> None:
    with closing(Journal(Path(plan.journal))) as journal:
        await Cell(plan, journal).run()


if __name__ == "__main__":
    raise SystemExit(main())
