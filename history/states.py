"""What an agent, or the agents of a stack, should have had at a moment."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from agents.target_state import state_at
from agents.wanted.past import wanted_of_stack_at
from history.entries import Version
from history.versions import Versions


def state_of_agent(agent_id: UUID, at: datetime, versions: Versions) -> Mapping[UUID, Version]:
    """By stack, the version or the owed marker. Of several markers of one stack it is the newest."""
    ids = [UUID(object_id) for object_id in state_at(agent_id=agent_id, at=at)]
    # Newest first: the newest of a stack is written last.
    return {version.stack_id: version for version in reversed(versions.by_id(ids).values())}


def state_of_stack(stack_id: UUID, at: datetime, versions: Versions) -> Mapping[UUID, Version]:
    """By agent, the version or the owed marker."""
    wanted = wanted_of_stack_at(stack_id, at)
    known = versions.by_sequence_id(set(wanted.values()))
    return {agent_id: known[sequence_id] for agent_id, sequence_id in wanted.items()}
