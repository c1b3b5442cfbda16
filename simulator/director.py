"""The process that publishes to the rollout stacks, watches what becomes of the versions, and acts as people would.

Run by fleet.py as `python -m simulator.director`, with its plan as one line on stdin; it answers with the messages of
messages.py: `ready`, then after a line on stdin `history` at the end of the run, and after one more `done`. It is never
killed: what it saw must not have holes.
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Mapping
from typing import Any

import orjson

from simulator.client import FAILURES, Client, Unexpected
from simulator.http import Answer, Request, Site
from simulator.messages import exit_code, line_of_stdin, tell
from simulator.outcomes import Outcome, manifest_of
from simulator.plan import DirectorPlan
from simulator.rollout_history import FINAL, VersionStory
from simulator.strategies import SimulatedStrategy, strategies

# Of each strategy: a good one, a bad one, and a good one.
_LEAST_VERSIONS = 3
# What has not ended so long after the last publishing never ends.
_PATIENCE_SECONDS = 600.0
# 409 says that it is so already, or that something else was faster.
_DONE = frozenset({200, 201, 409})


class Director:
    """One generator with a stack for each strategy."""

    def __init__(self, plan: DirectorPlan) -> None:
        self._plan = plan
        self._chance = random.Random(plan.seed)  # noqa: S311  chance, not secrecy
        self._client = Client(Site(plan.url), (), 0.0, self._chance)
        self._key = ""
        self._generator = ""
        self._strategies: dict[str, str] = {}
        self._stacks: dict[str, str] = {}
        self._stories: list[VersionStory] = []
        self._serial = 0
        self._published_until = 0.0
        self._deadline = 0.0

    async def run(self) -> None:
        """Set up, live, tell, clean up. Raises what Client.insist raises, alone or in an ExceptionGroup."""
        plan = self._plan
        await self._set_up()
        tell("ready", generator=self._generator, stacks=list(self._stacks.values()))
        await line_of_stdin()
        self._published_until = time.monotonic() + plan.joining + plan.duration
        self._deadline = self._published_until + _PATIENCE_SECONDS
        listed = strategies(soak=plan.soak, deadline=plan.wave_deadline)
        async with asyncio.TaskGroup() as tasks:
            for strategy in listed:
                tasks.create_task(self._live(strategy))
        for story in self._stories:
            await self._look(story)
            await self._read_members(story)
        tell("history", stories=[story.as_data() for story in self._stories])
        await line_of_stdin()
        if not plan.keep:
            await self._clean_up()
        tell("done")

    async def _set_up(self) -> None:
        made = (await self._ask("POST", "/generators", {"name": self._plan.name})).json()
        self._generator, self._key = made["generator"]["id"], made["pak"]
        for strategy in strategies(soak=self._plan.soak, deadline=self._plan.wave_deadline):
            name = f"{self._plan.name}-{strategy.name}"
            body = {"name": name, **strategy.body}
            self._strategies[strategy.name] = (await self._ask("POST", "/rollout-strategies", body)).json()[
                "id"
            ]
            stack = (await self._ask("POST", "/stacks", {"name": name}, key=self._key)).json()["id"]
            self._stacks[strategy.name] = stack
            await self._ask("POST", f"/stacks/{stack}/labels", self._plan.label, key=self._key)
            # The first version is for everybody at once.
            await self._publish(stack, Outcome.GOOD)
            await self._ask("PUT", f"/stacks/{stack}/rollout-strategy", {"strategy": name})

    async def _live(self, strategy: SimulatedStrategy) -> None:
        """One version after another; every third is bad."""
        await asyncio.sleep(self._chance.random() * self._plan.interval)
        number = 0
        while number < _LEAST_VERSIONS or time.monotonic() < self._published_until:
            if time.monotonic() > self._deadline:
                return
            number += 1
            outcome = self._chance.choice(strategy.notices) if number % 3 == 2 else Outcome.GOOD
            await _without_failing(self._bring(strategy, outcome))
        for story in [story for story in self._stories if story.strategy == strategy.name][-1:]:
            # Nothing comes after it.
            await _without_failing(self._follow(strategy, story, ""))

    async def _bring(self, strategy: SimulatedStrategy, outcome: Outcome) -> None:
        version = await self._publish(self._stacks[strategy.name], outcome)
        story = VersionStory(
            strategy.name, version["stack_id"], version["id"], version["sequence_id"], outcome
        )
        self._stories.append(story)
        await self._follow(strategy, story, self._mood(strategy, story))

    async def _publish(self, stack: str, outcome: Outcome) -> Mapping[str, Any]:
        self._serial += 1
        headers = {"Idempotency-Key": f"{self._plan.name}-{self._serial}"}
        body = {"yaml_content": manifest_of(outcome, self._serial)}
        path = f"/stacks/{stack}/deployment-objects"
        answer: Mapping[str, Any] = (
            await self._ask("POST", path, body, key=self._key, headers=headers)
        ).json()
        return answer

    async def _follow(self, strategy: SimulatedStrategy, story: VersionStory, mood: str) -> None:
        """Watch until it has ended, or is to be superseded by the next version; do what people do meanwhile."""
        while time.monotonic() < self._deadline:
            detail = await self._look(story)
            if story.state in FINAL:
                await self._read_members(story)
                return
            if detail is not None and not await self._act(strategy, story, detail, mood):
                return
            await asyncio.sleep(self._plan.watch_every)

    def _mood(self, strategy: SimulatedStrategy, story: VersionStory) -> str:
        """What people will do to the version, beside what they must."""
        if story.outcome != Outcome.GOOD:
            return self._chance.choice(["abort", "roll-back", "resume", "supersede"])
        draw = self._chance.random()
        if draw < 1 / 8:
            return "pause"
        if draw < 1 / 4 and not strategy.queues:
            return "replace"
        return "skip" if draw > 11 / 12 else ""

    async def _act(
        self, strategy: SimulatedStrategy, story: VersionStory, detail: dict[str, Any], mood: str
    ) -> bool:
        """Do what is to be done now; False when the next version is to come."""
        if story.state == "waiting_for_approval":
            await self._approve(story, detail["wave"] + 1)
        elif story.state == "progressing":
            await self._tell_checks(story, detail)
            if mood in {"pause", "skip"} and detail["wave"] >= 1 and mood not in story.acts:
                await self._do(story, mood)
            return mood != "replace" or detail["wave"] < 1
        elif story.state == "paused":
            return await self._unpause(strategy, story, mood)
        return True

    async def _unpause(self, strategy: SimulatedStrategy, story: VersionStory, mood: str) -> bool:
        if story.outcome == Outcome.GOOD or (mood == "resume" and mood not in story.acts):
            await self._do(story, "resume")
        elif mood == "supersede" and not strategy.queues:
            return False
        else:
            await self._do(story, "roll-back" if mood == "roll-back" else "abort")
        return True

    async def _do(self, story: VersionStory, act: str) -> None:
        story.acts.append(act)
        key = "" if act == "skip" else self._key
        headers = {"Idempotency-Key": f"{self._plan.name}-{story.rollout}"} if act == "roll-back" else None
        path = f"/rollouts/{story.rollout}/{act}"
        await self._ask("POST", path, {"reason": "simulated"}, key=key, headers=headers, expected=_DONE)

    async def _approve(self, story: VersionStory, wave: int) -> None:
        path = f"/rollouts/{story.rollout}/approve"
        if self._chance.random() < 0.2:
            # Somebody approves the wrong wave.
            await self._ask("POST", path, {"wave": wave + 1}, expected={409})
        await self._ask("POST", path, {"wave": wave}, expected=_DONE)

    async def _tell_checks(self, story: VersionStory, detail: dict[str, Any]) -> None:
        for wave in detail["waves"][: detail["wave"]]:
            missing = set(wave["awaited_checks"]) - {check["name"] for check in wave["checks"]}
            for name in missing:
                path = f"/rollouts/{story.rollout}/waves/{wave['number']}/checks/{name}"
                await self._ask("POST", path, {"verdict": "passed"}, key=self._key, expected=_DONE)

    async def _look(self, story: VersionStory) -> dict[str, Any] | None:
        """What the broker says of the rollout now."""
        if not story.rollout:
            listed = await self._ask("GET", f"/rollouts?stack_id={story.stack}&limit=20", key=self._key)
            found = [row["id"] for row in listed.json() if row["version"]["id"] == story.object_id]
            if not found:
                return None
            story.rollout = found[0]
        answer = await self._ask("GET", f"/rollouts/{story.rollout}", key=self._key)
        detail: dict[str, Any] = answer.json()
        story.look(detail, began=answer.began, ended=answer.ended)
        return detail

    async def _read_members(self, story: VersionStory) -> None:
        if story.rollout:
            answer = await self._ask("GET", f"/rollouts/{story.rollout}/agents", key=self._key)
            story.members = {row["agent_id"]: row["wave"] for row in answer.json()}
            story.members_at = answer.began

    async def _clean_up(self) -> None:
        await self._ask("DELETE", f"/generators/{self._generator}", expected={204, 404})
        for strategy_id in self._strategies.values():
            await self._ask("DELETE", f"/rollout-strategies/{strategy_id}", expected={204, 404})

    async def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "",
        headers: dict[str, str] | None = None,
        expected: frozenset[int] | set[int] = frozenset({200, 201}),
    ) -> Answer:
        """As the admin, or with the key."""
        request = Request(method, path, key or self._plan.admin_key, body=body, headers=headers)
        return await self._client.insist("rollouts", request, expected=expected)


async def _without_failing(work: Awaitable[None]) -> None:
    """What fails is told, and the others go on."""
    try:
        await work
    except (*FAILURES, Unexpected) as error:
        tell("trouble", text=str(error))


def main() -> int:
    """Run the director that stdin describes. The exit code is 1 when the broker cannot be reached or refuses."""
    plan = DirectorPlan(**orjson.loads(sys.stdin.readline()))
    return exit_code(Director(plan).run())


if __name__ == "__main__":
    raise SystemExit(main())
