"""What deleting agents, stacks and generators does to the fleet, for the pages that ask before they delete."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from agents.models import Agent
from agents.reach import fleet, removers_of_generators, removers_of_stacks
from core.admin import Reach, register_reach
from generators.models import Generator
from stacks.models import Stack


def _agents(count: int, total: int) -> str:
    return f"{count} of {total} agents"


def of_agents(rows: Sequence[Agent]) -> Reach:
    total = fleet()
    verb = "leaves" if len(rows) == 1 else "leave"
    return Reach(f"{_agents(len(rows), total)} {verb} the fleet.", len(rows), total)


def of_stacks(rows: Sequence[Stack]) -> Reach:
    by_stack, together = removers_of_stacks([row.pk for row in rows])
    return _removal(by_stack, together)


def of_generators(rows: Sequence[Generator]) -> Reach:
    by_generator, together = removers_of_generators([row.pk for row in rows])
    return _removal(by_generator, together)


def _removal(by_row: Mapping[UUID, int], together: int) -> Reach:
    total = fleet()
    if not together:
        return Reach("No agent has deployed anything of it.", 0, total)
    return Reach(
        f"{_agents(together, total)} will remove from their clusters what they have deployed.",
        together,
        total,
        {pk: f"{_agents(count, total)} will remove it." for pk, count in by_row.items()},
    )


register_reach(Agent, of_agents)
register_reach(Stack, of_stacks)
register_reach(Generator, of_generators)
