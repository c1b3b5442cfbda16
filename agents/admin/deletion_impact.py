"""What the deletion of agents, stacks and generators does to the fleet, for the pages that confirm a deletion."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from agents.deletion_impact import fleet, removers_of_generators, removers_of_stacks
from agents.models import Agent
from core.admin import DeletionImpact, register_deletion_impact
from generators.models import Generator
from stacks.models import Stack


def _agents(count: int, total: int) -> str:
    return f"{count} of {total} agents"


def of_agents(rows: Sequence[Agent]) -> DeletionImpact:
    total = fleet()
    verb = "leaves" if len(rows) == 1 else "leave"
    return DeletionImpact(f"{_agents(len(rows), total)} {verb} the fleet.", len(rows), total)


def of_stacks(rows: Sequence[Stack]) -> DeletionImpact:
    by_stack, together = removers_of_stacks([row.pk for row in rows])
    return _removal(by_stack, together)


def of_generators(rows: Sequence[Generator]) -> DeletionImpact:
    by_generator, together = removers_of_generators([row.pk for row in rows])
    return _removal(by_generator, together)


def _removal(by_row: Mapping[UUID, int], together: int) -> DeletionImpact:
    total = fleet()
    if not together:
        return DeletionImpact("No agent has deployed anything of it.", 0, total)
    return DeletionImpact(
        f"{_agents(together, total)} will remove from their clusters what they have deployed.",
        together,
        total,
        {pk: f"{_agents(count, total)} will remove it." for pk, count in by_row.items()},
    )


register_deletion_impact(Agent, of_agents)
register_deletion_impact(Stack, of_stacks)
register_deletion_impact(Generator, of_generators)
