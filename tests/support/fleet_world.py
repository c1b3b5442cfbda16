"""A small random fleet, and in plain Python what each of its agents should have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st

from agents.models import Agent, AgentTarget, HoldReason, Registration
from agents.services.agents import delete_agent, lock_agent
from agents.services.holds import hold, release
from agents.wanted.standing import Standing
from core.events import SYSTEM
from stacks.models import DeploymentObject, Stack
from stacks.services import delete_stack
from tests.factories import make_agent, make_event, make_generator, make_object, make_stack, manifest

AGENTS, GENERATORS, VERSIONS = 3, 2, 3

_words = st.sets(st.sampled_from("ab"))
_pairs = st.dictionaries(st.sampled_from("kl"), st.sampled_from("12"))
_agents, _statuses = st.integers(0, AGENTS - 1), st.sampled_from(["SUCCESS", "FAILURE"])
_agent_plans = st.fixed_dictionaries(
    {
        "labels": _words,
        "annotations": _pairs,
        "registered": st.sets(st.integers(0, GENERATORS - 1)),
        "active": st.booleans(),
        "deleted": st.sampled_from([False, False, False, True]),
    }
)
_stack_plans = st.fixed_dictionaries(
    {
        "generator": st.integers(0, GENERATORS - 1),
        "labels": _words,
        "annotations": _pairs,
        "targets": st.sets(_agents),
        "held": st.sets(st.integers(0, VERSIONS - 1)),
        "releases": st.sets(st.tuples(st.integers(0, VERSIONS - 1), _agents)),
        # Whether each is a deletion marker.
        "versions": st.lists(st.sampled_from([False, False, True]), max_size=VERSIONS),
        "dead_versions": st.sampled_from([set(), set(), {0}, {1}]),
        # Of each agent, how far behind the newest version its report is.
        "reports": st.lists(
            st.tuples(st.sampled_from([0, 0, 1, None]), _statuses), min_size=AGENTS, max_size=AGENTS
        ),
        "deleted": st.sampled_from([False, False, True]),
        "answers_to_the_marker": st.dictionaries(_agents, _statuses),
    }
)
fleet_plans = st.fixed_dictionaries(
    {
        "agents": st.lists(_agent_plans, min_size=AGENTS, max_size=AGENTS),
        "stacks": st.lists(_stack_plans, min_size=1, max_size=3),
    }
)

Plan = Mapping[str, Any]
Pair = tuple[Agent, Stack]


@dataclass
class FleetWorld:
    """The rows of a plan, and what happened to them as sets and dictionaries.

    `required` says whether registration is required, in the settings too.
    """

    required: bool
    agents: dict[Agent, Plan] = field(default_factory=dict)
    keys: dict[Agent, str] = field(default_factory=dict)
    stacks: dict[Stack, Plan] = field(default_factory=dict)
    versions: dict[Stack, list[DeploymentObject]] = field(default_factory=dict)
    reports: dict[Pair, tuple[DeploymentObject, str]] = field(default_factory=dict)
    spoken_of: set[tuple[Agent, DeploymentObject]] = field(default_factory=set)
    owed: dict[Pair, DeploymentObject] = field(default_factory=dict)

    def is_tied(self, agent: Agent, stack: Stack, *, required: bool = False) -> bool:
        """Among the living: by a target, or by a word and, where it is required, a registration."""
        mine, its = self.agents[agent], self.stacks[stack]
        if mine["deleted"] or its["deleted"]:
            return False
        return self._is_associated(agent, stack, required=required)

    def is_served(self, agent: Agent, stack: Stack) -> bool:
        return self.is_tied(agent, stack, required=self.required)

    def wanted(self, agent: Agent | None, stack: Stack) -> DeploymentObject | None:
        """Of a live stack, by the agent or, without one, by everybody."""
        its = self.stacks[stack]
        released = set()
        if agent is not None:
            me = list(self.agents).index(agent)
            released = {number for number, who in its["releases"] if who == me}
        living = [
            obj
            for number, obj in enumerate(self.versions[stack])
            if number not in its["dead_versions"] and (number not in its["held"] or number in released)
        ]
        return living[-1] if living else None

    def has_held(self, stack: Stack) -> bool:
        its = self.stacks[stack]
        return any(number < len(self.versions[stack]) for number in its["held"] - its["dead_versions"])

    def target_state(self, agent: Agent, mode: str) -> list[str]:
        """The hex ids of what the agent should have, newest first."""
        owed = [marker for (who, _), marker in self.owed.items() if who == agent]
        served = [stack for stack in self.stacks if self.is_served(agent, stack)]
        wanted = [obj for stack in served if (obj := self.wanted(agent, stack)) is not None]
        if mode == "incremental":
            wanted = [obj for obj in wanted if (agent, obj) not in self.spoken_of]
        return [obj.id.hex for obj in sorted([*wanted, *owed], key=lambda obj: -obj.pk)]

    def standing(self, agent: Agent, stack: Stack) -> Standing:
        """Of an agent that serves the stack."""
        wanted, report = self.wanted(agent, stack), self.reports.get((agent, stack))
        if wanted is None:
            return Standing.HELD if self.has_held(stack) else Standing.EMPTY
        if report is None or report[0].pk != wanted.pk:
            return Standing.PENDING
        return Standing.APPLIED if report[1] == "SUCCESS" else Standing.FAILING

    def pairs(self, *standings: Standing) -> set[Pair]:
        """The served pairs that stand so, or all that are served."""
        served = {
            (agent, stack) for agent in self.agents for stack in self.stacks if self.is_served(agent, stack)
        }
        return {pair for pair in served if not standings or self.standing(*pair) in standings}

    def _is_associated(self, agent: Agent, stack: Stack, *, required: bool) -> bool:
        mine, its = self.agents[agent], self.stacks[stack]
        if list(self.agents).index(agent) in its["targets"]:
            return True
        shares = mine["labels"] & its["labels"] or mine["annotations"].items() & its["annotations"].items()
        return bool(shares) and (not required or its["generator"] in mine["registered"])


def make_fleet_world(plan: Plan) -> FleetWorld:
    """The rows that the plan asks for. Whether registration is required is the setting's."""
    world = FleetWorld(settings.REQUIRE_REGISTRATION)
    generators = [make_generator()[0] for _ in range(GENERATORS)]
    for mine in plan["agents"]:
        agent, api = make_agent(labels=mine["labels"], annotations=mine["annotations"], active=mine["active"])
        world.agents[agent] = mine
        world.keys[agent] = api.key
    Registration.objects.all().delete()
    Registration.objects.bulk_create(
        Registration(agent=agent, generator=generators[number])
        for agent, mine in world.agents.items()
        for number in mine["registered"]
    )
    for its in plan["stacks"]:
        owner = generators[its["generator"]]
        world.stacks[make_stack(owner, labels=its["labels"], annotations=its["annotations"])] = its
    for stack, its in world.stacks.items():
        _publish_and_report(world, stack, its)
    for stack, its in world.stacks.items():
        if its["deleted"]:
            _delete(world, stack, its)
    for agent, mine in world.agents.items():
        if mine["deleted"]:
            with transaction.atomic():
                delete_agent(agent=lock_agent(agent.pk), actor=SYSTEM)
            world.owed = {pair: marker for pair, marker in world.owed.items() if pair[0] != agent}
            world.reports = {pair: report for pair, report in world.reports.items() if pair[0] != agent}
    return world


def _publish_and_report(world: FleetWorld, stack: Stack, its: Plan) -> None:
    agents = list(world.agents)
    AgentTarget.objects.bulk_create(
        AgentTarget(agent=agents[number], stack=stack) for number in its["targets"]
    )
    objects = [
        make_object(stack, "" if is_marker else manifest(number), is_deletion_marker=is_marker)
        for number, is_marker in enumerate(its["versions"])
    ]
    world.versions[stack] = objects
    for number, obj in enumerate(objects):
        if number in its["held"]:
            hold(version=obj, reason=HoldReason.ROLLOUT)
        released_to = [agents[who].pk for version, who in its["releases"] if version == number]
        assert release(version=obj, agent_ids=released_to) == len(released_to)
    for agent, (behind, status) in zip(agents, its["reports"], strict=True):
        if behind is not None and behind < len(objects):
            _report(world, agent, stack, objects[-1 - behind], status)
    dead: Sequence[int] = [obj.pk for number, obj in enumerate(objects) if number in its["dead_versions"]]
    DeploymentObject.objects.filter(pk__in=dead).update(deleted_at=timezone.now())


def _delete(world: FleetWorld, stack: Stack, its: Plan) -> None:
    marker = delete_stack(stack=stack, actor=SYSTEM)
    stack.refresh_from_db()
    for number, agent in enumerate(world.agents):
        if (agent, stack) in world.reports and world._is_associated(agent, stack, required=world.required):
            world.owed[agent, stack] = marker
            if status := its["answers_to_the_marker"].get(number):
                _report(world, agent, stack, marker, status)
                if status == "SUCCESS":
                    del world.owed[agent, stack]


def _report(world: FleetWorld, agent: Agent, stack: Stack, obj: DeploymentObject, status: str) -> None:
    make_event(agent, obj, status)
    world.reports[agent, stack] = (obj, status)
    world.spoken_of.add((agent, obj))
